"""Looking up: find an account, show what stands about it, say why; where the month stands."""
