"""An office without settings from the environment of whoever runs the tests."""

from __future__ import annotations

import os

import pytest

from tests.database.conftest import database, kept_postgres

__all__ = ["database", "kept_postgres"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BILLCLOSE_") and not name.startswith("BILLCLOSE_TEST_"):
            monkeypatch.delenv(name)
