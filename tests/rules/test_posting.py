"""When what cash receipting did not take is tried again, and when a person must look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.money.posting import FAILURES_TO_OPEN, is_given_up, next_probe, next_wait

BEGUN = datetime(2026, 11, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "chance", "expected"),
    [
        (0, 1.0, timedelta(minutes=1)),
        (1, 1.0, timedelta(minutes=2)),
        (3, 0.5, timedelta(minutes=4)),
        (8, 1.0, timedelta(minutes=256)),
        (9, 1.0, timedelta(hours=6)),
        (1_000_000, 0.5, timedelta(hours=3)),
        (5, 0.0, timedelta(seconds=1)),
    ],
)
def test_a_posting_rests_twice_as_long_each_time_up_to_six_hours(attempts, chance, expected):
    assert expected == next_wait(attempts, chance)


@pytest.mark.parametrize(
    ("attempts", "age", "expected"),
    [
        (39, timedelta(days=7) - timedelta(seconds=1), False),
        (40, timedelta(0), True),
        (1, timedelta(days=7), True),
    ],
)
def test_a_person_looks_after_forty_times_or_seven_days(attempts, age, expected):
    assert expected == is_given_up(attempts, BEGUN, BEGUN + age)


@pytest.mark.parametrize(
    ("probes", "chance", "expected"),
    [
        (0, 0.5, timedelta(seconds=30)),
        (1, 0.0, timedelta(seconds=48)),
        (1, 1.0, timedelta(seconds=72)),
        (4, 0.5, timedelta(minutes=8)),
        (5, 0.5, timedelta(minutes=15)),
        (1_000_000, 1.0, timedelta(minutes=18)),
    ],
)
def test_a_silent_service_is_asked_half_as_often_each_time_down_to_each_quarter(
    probes, chance, expected
):
    assert expected == next_probe(probes, chance)


def test_a_service_is_silent_after_three_failures_in_a_row():
    assert 3 == FAILURES_TO_OPEN
