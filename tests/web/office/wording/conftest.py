"""An office whose settings are a file of its home, as staff change them."""

from __future__ import annotations

from datetime import datetime

import pytest

from command_line.options import wall_clock
from office.clock import Clock
from office.equipment.office import Office
from office.secrets.files import make_secret
from office.settings.settings import open_settings
from tests.builders import a_household, close_run, stage_run
from tests.web.customers.conftest import URL


@pytest.fixture
def office(tmp_path, books):
    """The office some hours after the close of October."""
    make_secret(tmp_path)
    stage_run(
        books,
        a_household("01.1001.1", name="ABBOTT, ANN", last_name="ABBOTT"),
        a_household("01.1002.2", name="BOLE, BEN", last_name="BOLE"),
    )
    close_run(books)
    (tmp_path / "billclose.toml").write_text(
        f'# Our office.\n[web]\nurl = "{URL}"\nstaff_totp = false  # a trial\n\n'
        f'[database]\nurl = "{books.url}"\n\n[reminders]\n# Agreed with the council.\n'
        "days_before_due = 3\n",
        encoding="utf-8",
    )
    clock = Clock(wall_clock, datetime.fromisoformat("2026-11-03T09:00"))
    office = Office(tmp_path, open_settings(tmp_path), clock, "anna")
    office.__dict__["database"] = books  # the one whose connections the test looks after
    return office
