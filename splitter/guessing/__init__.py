"""Guessing."""
