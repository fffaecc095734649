"""Payment arrangements: made, approved, cancelled, kept or broken."""
