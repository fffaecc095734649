"""The pages on which staff write to many customers: looked at, tried, counted, sent."""
