"""Autopay: planning, scheduling and collecting payments."""
