"""The days on which a period may be closed and money may move."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import Misuse
from rules.calendars import (
    STATES,
    ClosedDays,
    DueRule,
    bank_closed_days,
    due_rule,
    earliest_close,
    first_of_month,
    is_working_day,
    next_working_day,
    office_closed_days,
    previous_working_day,
)
from tests.builders import examples

US, BANKS = office_closed_days("US"), bank_closed_days()
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
OWN_DAYS = st.sets(st.integers(0, 40), max_size=25)
ONE_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ends_on", "closes_on"),
    [
        pytest.param(date(2026, 11, 30), date(2026, 12, 1), id="Monday, the 1st is a Tuesday"),
        pytest.param(date(2026, 6, 30), date(2026, 7, 1), id="Tuesday, the 1st is a Wednesday"),
        pytest.param(date(2026, 9, 30), date(2026, 10, 1), id="Wednesday, the 1st is a Thursday"),
        pytest.param(date(2026, 4, 30), date(2026, 5, 1), id="Thursday, the 1st is a Friday"),
        pytest.param(date(2026, 7, 31), date(2026, 8, 3), id="Friday, the 1st is a Saturday"),
        pytest.param(date(2026, 10, 31), date(2026, 11, 2), id="Saturday, the 1st is a Sunday"),
        pytest.param(date(2026, 5, 31), date(2026, 6, 1), id="Sunday, the 1st is a Monday"),
        pytest.param(date(2025, 12, 31), date(2026, 1, 2), id="New Year is a Thursday"),
        pytest.param(date(2026, 12, 31), date(2027, 1, 4), id="New Year is a Friday"),
        pytest.param(date(2021, 12, 31), date(2022, 1, 3), id="New Year is a Saturday"),
        pytest.param(date(2022, 12, 31), date(2023, 1, 3), id="New Year is a Sunday, kept Monday"),
        pytest.param(date(2025, 8, 31), date(2025, 9, 2), id="Labor Day is the 1st"),
        pytest.param(date(2024, 2, 29), date(2024, 3, 1), id="leap year"),
        pytest.param(date(2026, 11, 25), date(2026, 11, 27), id="cycle ends before Thanksgiving"),
        pytest.param(date(2026, 7, 2), date(2026, 7, 6), id="July 4 is a Saturday, kept Friday"),
    ],
)
def test_the_close_waits_for_the_first_working_day_after_the_period_rules_5_and_6(
    ends_on, closes_on
):
    assert closes_on == earliest_close(ends_on, US)


def test_the_close_waits_for_the_offices_own_closed_days():
    closed = office_closed_days("US", [date(2026, 11, 2), date(2026, 11, 3)])

    assert date(2026, 11, 4) == earliest_close(date(2026, 10, 31), closed)


@pytest.mark.parametrize("ends_on", [date(2026, 1, day) for day in range(1, 32)])
def test_a_period_is_never_closed_on_its_own_last_day_rule_5(ends_on):
    assert earliest_close(ends_on, ClosedDays()) > ends_on


@given(DAYS, OWN_DAYS)
@examples
def test_the_earliest_close_is_the_first_working_day_there_is(ends_on, offsets):
    closed = office_closed_days("US", (ends_on + ONE_DAY * offset for offset in offsets))

    day = earliest_close(ends_on, closed)

    between = [ends_on + ONE_DAY * (1 + n) for n in range((day - ends_on).days - 1)]
    assert day > ends_on
    assert is_working_day(day, closed)
    assert [] == [earlier for earlier in between if is_working_day(earlier, closed)]


@given(DAYS)
@examples
def test_a_working_day_is_found_in_both_directions_and_stays_where_it_is(day):
    before, after = previous_working_day(day, BANKS), next_working_day(day, BANKS)

    assert before <= day <= after
    assert is_working_day(before, BANKS) and is_working_day(after, BANKS)
    assert is_working_day(day, BANKS) == (before == day) == (after == day)
    assert (after - before).days <= 5


@pytest.mark.parametrize(
    ("day", "office_is_closed", "banks_are_closed"),
    [
        pytest.param(date(2026, 11, 26), True, True, id="Thanksgiving"),
        pytest.param(date(2026, 10, 12), True, True, id="Columbus Day"),
        pytest.param(date(2026, 6, 19), True, True, id="Juneteenth"),
        pytest.param(date(2023, 1, 2), True, True, id="New Year on a Sunday"),
        pytest.param(date(2026, 7, 3), True, False, id="July 4 on a Saturday: banks are open"),
        pytest.param(date(2021, 12, 31), True, False, id="New Year on a Saturday: banks are open"),
        pytest.param(date(2026, 11, 27), False, False, id="day after Thanksgiving"),
        pytest.param(date(2026, 11, 2), False, False, id="an ordinary Monday"),
    ],
)
def test_the_office_and_the_banks_keep_their_own_holidays(day, office_is_closed, banks_are_closed):
    assert (office_is_closed, banks_are_closed) == (
        not is_working_day(day, US),
        not is_working_day(day, BANKS),
    )


def test_a_state_keeps_its_own_holidays():
    day_after_thanksgiving = date(2026, 11, 27)

    assert (False, True) == (
        day_after_thanksgiving in office_closed_days("US"),
        day_after_thanksgiving in office_closed_days("US-TX"),
    )
    assert date(2026, 7, 24) in office_closed_days("us-ut")


@pytest.mark.parametrize("code", ["none", "NONE", "", " "])
def test_an_office_without_a_calendar_keeps_only_its_own_days(code):
    closed = office_closed_days(code, [date(2026, 11, 2)])

    assert (True, False) == (date(2026, 11, 2) in closed, date(2026, 12, 25) in closed)


@pytest.mark.parametrize("code", ["Colorado", "US-XX", "XX"])
def test_a_calendar_nobody_knows_is_refused_with_a_sentence(code):
    with pytest.raises(Misuse) as refused:
        office_closed_days(code)

    assert (
        f"utility.holidays: there is no holiday calendar {code!r}; "
        "write a country or a state such as US or US-CO, or none."
    ) == refused.value.message


@pytest.mark.parametrize(
    ("code", "is_looked_up"), [("US", False), ("us-co", False), ("CA", True), ("US-XX", True)]
)
def test_the_calendars_are_loaded_only_to_look_up_whether_there_is_one(
    monkeypatch, code, is_looked_up
):
    """Loading them takes longer than most commands, and most commands ask for no day."""
    asked = []
    monkeypatch.setattr("rules.calendars._country", lambda *given: asked.append(given) or ())

    closed = office_closed_days(code)
    before = len(asked)
    found = [date(2026, 12, 25) in closed for _ in range(2)]

    assert (is_looked_up, [False, False], 1) == (bool(before), found, len(asked))


def test_every_state_has_a_calendar_that_is_loaded_when_it_is_asked():
    named = [office_closed_days(f"us-{state.lower()}") for state in sorted(STATES)]

    assert len(STATES) == sum(date(2026, 12, 25) in closed for closed in named) == 51


def test_a_closed_day_has_the_calendars_name_and_the_offices_own_days_have_none():
    own = date(2026, 11, 27)
    closed = office_closed_days("US", [own])

    assert ("Thanksgiving Day", "closed") == (
        closed.name_of(date(2026, 11, 26)),
        closed.name_of(own),
    )
    assert "closed" == office_closed_days("none", [own]).name_of(own)


def test_the_due_date_is_the_day_that_most_of_the_last_twelve_periods_show():
    """Of two days that are as frequent the newer one; a month without the day has its last."""
    ends = [date(2025 + month // 12, month % 12 + 1, 28) for month in range(14)]
    days = [5, 5, *[20] * 6, *[18] * 6]
    periods = [
        (end, first_of_month(end, 1).replace(day=day)) for end, day in zip(ends, days, strict=True)
    ]

    assert (None, DueRule(18), DueRule(20), DueRule(5)) == (
        due_rule([]), due_rule(periods[::-1]), due_rule(periods[:-1]), due_rule(periods[:2]),
    )  # fmt: skip
    assert date(2026, 2, 28) == DueRule(31).due_on(date(2026, 1, 31))


def test_the_holidays_of_the_banks_have_their_names():
    assert "Thanksgiving Day" == BANKS.name_of(date(2026, 11, 26))
    assert date(2026, 11, 26) in bank_closed_days()
