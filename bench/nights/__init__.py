"""Nights in which little is due."""
