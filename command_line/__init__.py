"""The command: what clerks and schedulers type."""
