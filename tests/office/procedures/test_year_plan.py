"""How the year of an office is planned from the periods in its books."""

from __future__ import annotations

from datetime import date

from office.procedures.closing.year_plan import plan_cycles
from rules.calendars import DueRule
from rules.year_calendar import LAST_DAY, CyclePlan

OCTOBER = ("", date(2026, 10, 31), date(2026, 11, 20))
OF_A = [("A", date(2026, 9, 30), date(2026, 10, 20)), ("A", date(2026, 10, 31), date(2026, 11, 20))]
OF_B = [("B", date(2026, 9, 15), date(2026, 10, 5)), ("B", date(2026, 10, 15), date(2026, 11, 5))]


def test_each_cycle_is_planned_by_its_own_periods():
    expected = (CyclePlan("A", LAST_DAY, DueRule(20)), CyclePlan("B", 15, DueRule(5)))

    assert expected == plan_cycles([*OF_A, *OF_B], 0)


def test_where_all_is_billed_at_once_there_are_no_cycles():
    assert () == plan_cycles([OCTOBER], 0)


def test_what_is_billed_without_a_cycle_beside_cycles_is_planned_too():
    assert ["", "B"] == [cycle.name for cycle in plan_cycles([OCTOBER, *OF_B], 25)]
    assert {25} == {cycle.due.day for cycle in plan_cycles([OCTOBER, *OF_B], 25)}
