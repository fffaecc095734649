"""Correcting single bills, and taking a close back."""
