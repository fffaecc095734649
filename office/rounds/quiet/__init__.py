"""What a command says that has nothing to do, and starts nothing for it."""
