"""What came by the feed, what a person has to see of it, and what leaves toward its sender."""
