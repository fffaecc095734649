"""Fixtures of whoever closes periods on several machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.desk import Desk
from tests.flows.fixtures import Server, closed, desk, prepared, server, town
from tests.flows.town import several_towns, write_town

__all__ = ["closed", "desk", "prepared", "server", "town"]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("city") / "larkspur", several_towns(2))


@pytest.fixture(scope="session")
def alone(
    prepared: Desk, server: Server, city: Path, tmp_path_factory: pytest.TempPathFactory
) -> Desk:
    """The same city, closed by one machine by itself."""
    home = prepared.copied(tmp_path_factory.mktemp("alone") / "office").home
    desk = Desk(home, server.environment)
    assert desk.close(city, "--yes").status == 0
    return desk
