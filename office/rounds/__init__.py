"""Rounds: looks by plain code at what needs work, so that flows start only where there is some."""
