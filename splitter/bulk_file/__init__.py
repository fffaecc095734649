"""Bulk file."""
