"""Fixtures of whoever closes periods."""

from tests.flows.fixtures import closed, desk, prepared, server, town

__all__ = ["closed", "desk", "prepared", "server", "town"]
