"""Telling people from programs before somebody pays without signing in."""
