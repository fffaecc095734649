"""Direct text."""
