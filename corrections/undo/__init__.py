"""Taking a close back, with a boundary."""
