"""What commands say of their outcome, as lines for people and as JSON."""
