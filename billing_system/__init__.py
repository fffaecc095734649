"""The billing system: what we read from it, and how that gets into the books."""
