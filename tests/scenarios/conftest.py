"""Fixtures of whoever closes periods, and of whoever is stopped while he does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flows.desk import Desk
from tests.flows.fixtures import Server, closed, desk, prepared, server, town
from tests.flows.town import several_towns, write_town
from tests.scenarios.interrupted import result

__all__ = ["closed", "desk", "prepared", "server", "town"]


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bills and mails enough to be stopped among them."""
    return write_town(tmp_path_factory.mktemp("towns") / "larkspur", several_towns(2))


@pytest.fixture(scope="session")
def undisturbed(
    prepared: Desk, server: Server, towns: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the close of these towns leaves behind that nothing stops."""
    home = prepared.copied(tmp_path_factory.mktemp("undisturbed") / "office").home
    desk = Desk(home, server.environment)
    assert desk.close(towns, "--yes").status == 0
    return result(desk)
