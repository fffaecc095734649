"""What an office does for portal users: invites them, ends them, takes in their methods."""
