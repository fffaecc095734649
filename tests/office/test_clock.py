"""The business clock: the moment and the local date that the office works by."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from office.clock import Clock

DENVER, NEW_YORK, TOKYO = "America/Denver", "America/New_York", "Asia/Tokyo"
SECONDS = timedelta(seconds=30)


def machine(*moment: int):
    return lambda: datetime(*moment, tzinfo=UTC)


def rehearsed(*local: int) -> Clock:
    return Clock(machine(2030, 1, 1), datetime(*local))


@pytest.mark.parametrize(
    ("moment", "zone", "today"),
    [
        pytest.param((2026, 11, 1, 5, 59), DENVER, date(2026, 10, 31), id="still October there"),
        pytest.param((2026, 11, 1, 6, 0), DENVER, date(2026, 11, 1), id="midnight in summer time"),
        pytest.param((2026, 12, 1, 6, 59), DENVER, date(2026, 11, 30), id="still November there"),
        pytest.param((2026, 12, 1, 7, 0), DENVER, date(2026, 12, 1), id="midnight in winter time"),
        pytest.param((2026, 12, 1, 5, 0), NEW_YORK, date(2026, 12, 1), id="the Atlantic coast"),
        pytest.param((2026, 10, 31, 15, 0), TOKYO, date(2026, 11, 1), id="ahead of UTC"),
    ],
)
def test_today_is_the_local_date_of_the_utility_ruling_16(moment, zone, today):
    clock = Clock(machine(*moment), None)

    assert (today, datetime(*moment, tzinfo=UTC)) == (clock.today(zone), clock.now(zone))
    assert UTC is clock.now(zone).tzinfo


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        pytest.param((2026, 11, 2, 6), (2026, 11, 2, 13), id="winter"),
        pytest.param((2026, 7, 1, 6), (2026, 7, 1, 12), id="summer"),
        pytest.param((2026, 10, 31, 23, 59), (2026, 11, 1, 5, 59), id="the last minute of October"),
        pytest.param((2026, 3, 8, 1, 59), (2026, 3, 8, 8, 59), id="before the skipped hour"),
        pytest.param((2026, 3, 8, 2, 30), (2026, 3, 8, 9, 30), id="in the skipped hour"),
        pytest.param((2026, 3, 8, 3, 0), (2026, 3, 8, 9, 0), id="after the skipped hour"),
        pytest.param((2026, 11, 1, 1, 30), (2026, 11, 1, 7, 30), id="the hour that comes twice"),
    ],
)  # fmt: skip
def test_a_rehearsed_time_is_local_time_of_the_utility(local, utc):
    clock = rehearsed(*local)

    told = clock.now(DENVER)

    expected = datetime(*utc, tzinfo=UTC)
    assert expected <= told < expected + SECONDS
    assert date(*local[:3]) == clock.today(DENVER)


def test_a_rehearsed_time_begins_when_its_clock_is_made_however_long_the_machine_is_up():
    made = time.monotonic()
    clock = Clock(machine(2030, 1, 1), datetime(2026, 11, 2, 6))

    assert made <= clock.started <= time.monotonic()


def test_a_rehearsed_time_moves_on_so_that_one_thing_comes_after_another():
    clock = rehearsed(2026, 11, 2, 6)

    told = [clock.now(DENVER) for _ in range(50)]

    assert sorted(told) == told
    assert told[0] < told[-1] < told[0] + SECONDS


def test_a_rehearsed_day_does_not_depend_on_the_machine_or_the_zone():
    clock = rehearsed(2026, 11, 2, 23, 30)

    assert {date(2026, 11, 2)} == {clock.today(zone) for zone in (DENVER, NEW_YORK, TOKYO)}
