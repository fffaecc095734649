"""What the books know of payment arrangements."""
