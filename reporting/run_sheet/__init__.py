"""Run sheet."""
