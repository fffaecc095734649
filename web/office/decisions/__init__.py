"""What waits for a person, and the pages on which somebody decides about it."""
