"""Corrected bills, and closes that are taken back."""
