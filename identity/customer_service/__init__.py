"""What customer service does for portal users: lets them in, locks them out, looks with them."""
