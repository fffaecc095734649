"""Fixtures of whoever closes periods."""

from tests.flows.fixtures import asked, closed, desk, prepared, server, town, waiting

__all__ = ["asked", "closed", "desk", "prepared", "server", "town", "waiting"]
