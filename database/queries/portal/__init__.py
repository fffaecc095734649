"""What customers' pages read alike: accounts, choices, bound payment methods."""
