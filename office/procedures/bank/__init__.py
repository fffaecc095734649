"""What the bank says, by the office's settings."""
