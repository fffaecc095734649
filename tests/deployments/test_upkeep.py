"""What serves the flows goes by what staff have changed in the settings, without a new start."""

from __future__ import annotations

import pytest

from command_line.options import wall_clock
from database.books import Database
from deployments.upkeep import Upkeep, moved_runs
from office.clock import Clock
from office.equipment.office import Office
from office.settings.money import RemindersSettings
from office.settings.settings import Settings, open_settings

FILE = (
    '[prefect]\nschedules = false\n[database]\nurl = "{url}"\n[ebill]\nresend_in_doubt = {resend}\n'
)


@pytest.fixture
def books(tmp_path):
    """No table is needed: nothing is read."""
    books = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    yield books
    books.close()


@pytest.fixture
def upkeep(tmp_path, books):
    write(tmp_path, books, resend="false")
    office = Office(tmp_path, open_settings(tmp_path), Clock(wall_clock, None), "anna")
    office.__dict__["database"] = books
    return Upkeep(office, "America/Denver", [])


def write(home, books, resend: str) -> None:
    (home / "billclose.toml").write_text(FILE.format(url=books.url, resend=resend))


def test_a_changed_setting_is_in_force_at_the_next_look_over_the_same_books(upkeep, books):
    write(upkeep.office.home, books, resend="true")

    upkeep.follow_the_settings()

    assert upkeep.office.settings.ebill.resend_in_doubt
    assert upkeep.office.database is books


def test_settings_that_cannot_be_read_leave_those_of_before_and_are_said_once(
    upkeep, books, caplog
):
    write(upkeep.office.home, books, resend='"perhaps"')

    upkeep.follow_the_settings()
    upkeep.follow_the_settings()

    assert not upkeep.office.settings.ebill.resend_in_doubt
    assert 1 == caplog.text.count("the settings of before stay in force")
    write(upkeep.office.home, books, resend="true")
    upkeep.follow_the_settings()
    assert upkeep.office.settings.ebill.resend_in_doubt


def test_another_time_of_reminders_moves_that_run_and_no_other():
    later = Settings(reminders=RemindersSettings(time="10:15"))

    assert {"remind": "15 10 * * *"} == moved_runs(Settings(), later)
    assert {} == moved_runs(later, later)
