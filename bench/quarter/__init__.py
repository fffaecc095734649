"""Nights that an office is up, one after the other, by a clock that is moved on."""
