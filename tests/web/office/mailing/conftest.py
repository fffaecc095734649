"""An office that writes to many, and what its pages have begun."""

from __future__ import annotations

import pytest

from tests.builders import a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.office.begun_work import held_back
from tests.web.office.conftest import TRIAL


@pytest.fixture
def office(tmp_path, books):
    """The office after a close: Ann and Ben have an address, Cy has none."""
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    people = (("01.1001.1", "ann@a.example"), ("01.1002.2", "ben@b.example"), ("01.1003.3", ""))
    stage_run(books, *(a_household(number, email=email) for number, email in people))
    close_run(books)
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


@pytest.fixture
def begun(monkeypatch):
    """What the pages have begun, and nobody has done yet."""
    return held_back(monkeypatch)
