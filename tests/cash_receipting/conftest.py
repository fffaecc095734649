"""Books with a closed run, on both databases."""

from __future__ import annotations

import pytest

from tests.cash_receipting.builders import close_a_run


@pytest.fixture
def books(database):
    close_a_run(database)
    return database
