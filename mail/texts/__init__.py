"""Text messages: the port, its adapters, what was recorded, and the sending of it."""
