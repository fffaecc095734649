"""One thin observable step each; what it does is in the equipment it names."""
