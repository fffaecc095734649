"""Payments that customers make by hand."""
