"""Single bills held back from the close's effects, and released."""
