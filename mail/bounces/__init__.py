"""Bounces."""
