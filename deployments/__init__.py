"""When and where flows run."""
