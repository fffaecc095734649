"""Text messages: sent when they may leave, and what phones answer."""
