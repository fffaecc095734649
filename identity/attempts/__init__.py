"""Tries in vain: counted, and the next one slowed down; nobody is locked by others."""
