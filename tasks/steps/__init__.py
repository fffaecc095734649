"""What makes a function a step: its name, its lock, its state's sentence, what the UI shows."""
