"""Scheduling and drawing payments."""
