"""The month in one line, what to do next, and the year's periods."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from database.tables import bill_run, delivery, run_step
from domain.deliveries import DeliveryStatus, MessageKind
from domain.periods import FINAL_CYCLE
from domain.runs import RunState
from domain.steps import Step
from office.lookup.headline import read_headline
from office.lookup.standing import read_standing, to_document
from office.lookup.year import read_year
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.payments.scheduling_builders import plan, schedule

FIRST, SECOND = "01.1037.1", "02.0001.1"


@pytest.fixture
def town(database):
    """October is closed, with all of its steps."""
    stage_run(database, a_household(FIRST), a_household(SECOND))
    close_run(database)
    _set(database, RUN, state=RunState.FINISHED)
    with database.writing() as books:
        books.execute(
            run_step.insert().values(
                period=RUN,
                step=Step.SCHEDULE.value,
                position=1,
                started_at=NOW,
                finished_at=NOW,
                summary="",
            )
        )
    return database


def _set(database, period, **values):
    with database.writing() as books:
        books.execute(bill_run.update().where(bill_run.c.period == period).values(values))


def _mail(database, number, status):
    with database.writing() as books:
        books.execute(
            delivery.insert().values(
                key=f"bill/{number}/{status}", period=RUN, account_key=number.replace(".", ""),
                account=number, kind=MessageKind.BILL, form="utility-bill", address="a@b.example",
                status=status, message_id=f"<{number}-{status}@x>", attempts=1, queued_at=NOW,
                next_try_at=NOW, possible_duplicate=False,
            )
        )  # fmt: skip


def _line(town, tmp_path, at="2026-11-05T09:00"):
    return read_headline(an_office_at(tmp_path, town, at))


def test_a_month_that_is_closed_and_quiet_is_one_clause(town, tmp_path):
    line = _line(town, tmp_path)

    assert "October closed on Nov 2 by anna." == line.sentence
    assert () == line.acts


def test_an_office_before_its_first_import_has_no_line(database, tmp_path):
    office = an_office_at(tmp_path, database, "2026-11-05T09:00")

    assert ("", (), ()) == (
        read_headline(office).sentence, read_headline(office).acts, read_year(office, 2026)
    )  # fmt: skip


def test_exceptions_are_counted_and_those_that_need_a_person_today_apart(town, tmp_path):
    _mail(town, FIRST, DeliveryStatus.FAILED)
    _mail(town, FIRST, DeliveryStatus.DEFERRED)  # goes again by itself
    _mail(town, SECOND, DeliveryStatus.IN_DOUBT)

    line = _line(town, tmp_path)

    assert "October closed on Nov 2 by anna; 3 exceptions, 2 urgent." == line.sentence
    assert {
        ("mail-failed", "Send again, or write to the customer otherwise: 1 email not delivered"),
        ("mail-in-doubt", "Say what became of 1 email in doubt"),
    } == {(act.code, act.sentence) for act in line.acts}


def test_what_goes_on_by_itself_needs_nobody_today(town, tmp_path):
    _mail(town, FIRST, DeliveryStatus.DEFERRED)

    line = _line(town, tmp_path)

    assert line.sentence.endswith("; 1 exception, none urgent.")
    assert () == line.acts


def test_payments_that_nobody_drew_on_their_day_are_red_and_to_be_collected(town, tmp_path):
    plan(town)
    schedule(town)

    on_its_day = _line(town, tmp_path, "2026-11-13T20:00")
    late = _line(town, tmp_path, "2026-11-14T06:00")

    assert ((), "October closed on Nov 2 by anna.") == (on_its_day.acts, on_its_day.sentence)
    assert late.sentence.endswith("; autopay of Nov 13 not drawn.") and late.clauses[-1].is_red
    assert [("Collect 2 autopay payments, $160.00, whose day is past", "scheduled-payments")] == [
        (act.sentence, act.about) for act in late.acts
    ]


def test_an_export_that_is_late_is_told_by_days_and_is_the_first_thing_to_do_rule_8(town, tmp_path):
    office = an_office_at(tmp_path, town, "2026-12-20T09:00")
    last_day = date(2026, 11, 30) + timedelta(days=office.settings.health.export_days)
    days = (date(2026, 12, 20) - last_day).days

    line = read_headline(office)

    assert f"November's export is {days} days late" in [one.text for one in line.clauses]
    assert "Make the export of 2026-11 in the billing system, and close it" == line.acts[0].sentence


@pytest.mark.parametrize(("late", "said"), [(1, "1 day late"), (2, "2 days late")])
def test_the_first_late_day_is_one_day_late(town, tmp_path, late, said):
    grace = an_office_at(tmp_path, town, "2026-12-01T09:00").settings.health.export_days
    day = date(2026, 11, 30) + timedelta(days=grace + late)

    line = _line(town, tmp_path, f"{day}T09:00")

    assert said in line.sentence


def test_a_close_is_late_by_the_days_since_it_could_be_had_where_its_export_is_not_late_yet_rule_8(
    town, tmp_path
):
    line = _line(town, tmp_path, "2026-12-02T09:00")

    assert "November's close is 1 day late" in [one.text for one in line.clauses if one.is_red]


def test_a_month_that_is_imported_stands_after_the_closed_one_with_what_it_waits_for(
    town, tmp_path
):
    stage_run(
        town, a_household(FIRST), period="2026-11", ends_on=date(2026, 11, 30),
        due_on=date(2026, 12, 20), state=RunState.WAITING,
    )  # fmt: skip

    line = _line(town, tmp_path, "2026-12-01T09:00")

    assert line.sentence == (
        "October closed on Nov 2 by anna; November is ready and waits for a yes."
    )
    assert ["Say yes or no to the close of 2026-11"] == [act.sentence for act in line.acts]


def test_each_cycle_has_its_own_clause_and_final_bills_have_none(town, tmp_path):
    for period, cycle in (("2026-10-B", "B"), ("final-1", FINAL_CYCLE)):
        stage_run(town, a_household(f"03.000{len(cycle)}.1"), period=period)
        _set(town, period, cycle=cycle)
        close_run(town, period)
        _set(town, period, state=RunState.FINISHED)

    line = _line(town, tmp_path)

    assert ["October closed on Nov 2 by anna", "October (cycle B) closed on Nov 2 by anna"] == [
        one.text for one in line.clauses
    ]


def test_a_close_whose_steps_are_not_all_done_is_red_and_to_be_gone_on_with(town, tmp_path):
    _set(town, RUN, state=RunState.CLOSED)

    line = _line(town, tmp_path)

    assert ("October closed on Nov 2 by anna, its steps are not all done", True) == (
        line.clauses[0].text, line.clauses[0].is_red
    )  # fmt: skip
    assert (f"Close {RUN} again to go on with it", RUN) == (
        line.acts[-1].sentence, line.acts[-1].period
    )  # fmt: skip


def test_the_year_has_its_periods_as_they_are_and_as_they_are_to_come(town, tmp_path):
    office = an_office_at(tmp_path, town, "2026-12-20T09:00")

    year = {one.period: one for one in read_year(office, 2026)}

    assert [RUN, "2026-11", "2026-12"] == list(year)
    assert ("closed on Nov 2 by anna", True) == (year[RUN].said, year[RUN].in_books)
    assert ("late", True, False) == (
        year["2026-11"].said, year["2026-11"].is_late, year["2026-11"].in_books
    )  # fmt: skip
    assert ("to come", date(2026, 12, 31)) == (year["2026-12"].said, year["2026-12"].ends_on)
    assert year["2026-12"].due_on == year[RUN].due_on.replace(year=2027, month=1)


def test_a_year_to_come_is_planned_whole_and_one_before_the_books_is_empty(town, tmp_path):
    office = an_office_at(tmp_path, town, "2026-12-20T09:00")

    assert [f"2027-{month:02}" for month in range(1, 13)] == [
        one.period for one in read_year(office, 2027)
    ]
    assert () == read_year(office, 2025)


def test_programs_read_the_line_and_what_is_to_be_done(town, tmp_path):
    _mail(town, FIRST, DeliveryStatus.FAILED)
    standing = read_standing(an_office_at(tmp_path, town, "2026-11-05T09:00"))

    written = to_document(standing)

    assert standing.headline.sentence == written["headline"]
    assert [("exceptions", "mail-failed")] == [(one["about"], one["code"]) for one in written["do"]]
