"""The health of the periods and the nights, told by the books alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from database.runs import record_step
from database.tables import gateway_payment, service_health, work_done
from domain.money import Money
from domain.payments import MethodKind, PaymentState
from domain.steps import Step
from office.health.work import (
    forgotten_schedules,
    last_good_ends,
    late_periods,
    missed_work,
    note_ended_well,
    silent_services,
    stuck_money,
)
from office.settings.close import HealthSettings
from office.settings.mail import BouncesSettings
from tests.builders import NOW, RUN, a_household, close_run, post_payment, stage_run
from tests.office.health_builders import an_office_at, looking, troubles

NIGHT = timedelta(days=1)


def a_payment(database, pay_on, state=PaymentState.SCHEDULED) -> str:
    with database.writing() as books:
        books.execute(
            gateway_payment.insert().values(
                key="autopay/2026-10/01.1037.1", period=RUN, account_key="01.1037.1",
                account="01.1037.1", pay_on=pay_on, amount=Money(80_00), method_token="t",
                method_kind=MethodKind.CARD, last4="4242", immediate=False, state=state,
                scheduled_at=NOW,
            )
        )  # fmt: skip
    return "autopay/2026-10/01.1037.1"


def ended(database, command: str, at: datetime) -> None:
    with database.writing() as books:
        books.execute(work_done.insert().values(command=command, ended_at=at))


@pytest.fixture
def october(database):
    """October is closed, on November 2."""
    stage_run(database, a_household())
    close_run(database)
    return database


def test_before_the_first_import_no_period_is_missed(tmp_path, database):
    found = late_periods(looking(tmp_path, database, "2030-01-01T12:00"))

    assert ["not-watched"] * 2 == [one.state.value for one in found]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-11-30T23:59", [], id="the period's last day"),
        pytest.param("2026-12-01T23:59", [], id="the first business day"),
        pytest.param("2026-12-02T00:01", ["close-forgotten/2026-11"], id="the day after"),
        pytest.param("2026-12-03T23:59", ["close-forgotten/2026-11"], id="the third day"),
        pytest.param("2026-12-04T00:01", ["export-overdue/2026-11"], id="one trouble, not two"),
    ],
)
def test_a_period_that_nobody_exported_or_closed_is_told(tmp_path, october, at, expected):
    assert expected == troubles(late_periods(looking(tmp_path, october, at)))


@pytest.mark.parametrize(
    ("at", "expected"),
    [("2026-11-02T23:00", []), ("2026-11-03T00:01", ["close-forgotten/2026-10"])],
)
def test_an_imported_period_waits_for_its_first_business_day(tmp_path, database, at, expected):
    stage_run(database, a_household())

    found = late_periods(looking(tmp_path, database, at))

    assert expected == troubles(found)


def test_how_long_an_export_may_take_is_a_setting(tmp_path, october):
    patient = looking(tmp_path, october, "2026-12-09T00:01", health=HealthSettings(export_days=9))

    assert "export-overdue/2026-11" not in troubles(late_periods(patient))


def test_since_when_a_period_is_late_is_its_own_day(tmp_path, october):
    (found,) = [
        one
        for one in late_periods(looking(tmp_path, october, "2026-12-09T12:00"))
        if one.state == "trouble"
    ]

    assert datetime(2026, 12, 4, 7, 0, tzinfo=UTC) == found.since  # midnight in Denver
    assert "close 2026-11 FOLDER" in found.advice


def test_a_forgotten_schedule_is_told_an_hour_after_the_close(tmp_path, october):
    early = looking(tmp_path, october, "2026-11-02T06:30")
    late = looking(tmp_path, october, "2026-11-02T07:30")

    assert [] == troubles(forgotten_schedules(early))
    assert ["schedule-forgotten/2026-10"] == troubles(forgotten_schedules(late))

    record_step(october, RUN, Step.SCHEDULE.value, 7, NOW, NOW, {})

    assert [] == troubles(forgotten_schedules(late))


def test_reminding_is_missed_from_the_close_on_and_until_it_ends_well(tmp_path, october):
    at_first = looking(tmp_path, october, "2026-11-03T06:00")
    later = looking(tmp_path, october, "2026-11-03T09:00")

    assert [] == troubles(missed_work(at_first))
    assert ["work-missed/remind"] == troubles(missed_work(later))
    (found,) = missed_work(later)
    assert "The sending of reminders never ran." == found.detail

    note_ended_well(later.office, "remind")

    assert [] == troubles(missed_work(later))
    next_night = looking(tmp_path, october, "2026-11-04T12:00")
    (found,) = missed_work(next_night)
    assert "The sending of reminders has not ended well since 2026-11-03 09:00 MST." == found.detail


def test_collecting_is_missed_only_while_payments_are_due(tmp_path, october):
    ended(october, "remind", datetime(2026, 11, 14, 13, 0, tzinfo=UTC))
    ended(october, "collect-autopay", datetime(2026, 11, 1, 13, 0, tzinfo=UTC))
    a_payment(october, datetime(2026, 11, 13).date())

    day_before = looking(tmp_path, october, "2026-11-12T23:00")
    in_time = looking(tmp_path, october, "2026-11-14T01:00")
    late = looking(tmp_path, october, "2026-11-14T03:00")

    assert [] == troubles(missed_work(day_before))
    assert [] == troubles(missed_work(in_time))
    assert ["work-missed/collect-autopay"] == troubles(missed_work(late))


def test_bounces_are_missed_only_where_somebody_reads_them(tmp_path, october):
    ended(october, "remind", datetime(2026, 11, 5, 13, 0, tzinfo=UTC))
    bounces = BouncesSettings(source="maildir:/nowhere")

    without = looking(tmp_path, october, "2026-11-05T08:00")
    with_them = looking(tmp_path, october, "2026-11-05T08:00", bounces=bounces)

    assert [] == troubles(missed_work(without))
    assert ["work-missed/process-bounces"] == troubles(missed_work(with_them))


def test_who_expects_no_command_is_not_told_of_it(tmp_path, october):
    nobody = looking(tmp_path, october, "2026-11-20T08:00", health=HealthSettings(remind_hours=0))

    assert [] == troubles(missed_work(nobody))


def test_a_watch_that_stopped_is_told_by_whoever_looks(tmp_path, october):
    ended(october, "remind", NOW + timedelta(days=3))
    ended(october, "health-watch", NOW)

    found = missed_work(looking(tmp_path, october, "2026-11-02T09:00"))

    assert ["work-missed/health-watch"] == troubles(found)
    assert "health --tell" in found[0].command


def test_a_rehearsed_time_to_come_expects_no_watch_until_then(tmp_path, october):
    on_the_machine = datetime(2026, 10, 31, 12, tzinfo=UTC)
    now = looking(tmp_path, october, "2026-11-02T09:00", wall=lambda: on_the_machine)
    ended(october, "remind", NOW + timedelta(days=3))
    ended(october, "health-watch", on_the_machine - timedelta(hours=1))

    assert [] == troubles(missed_work(now))


def test_the_later_of_two_machines_ends_counts(tmp_path, database):
    later, earlier = (
        an_office_at(tmp_path, database, at) for at in ("2026-11-03T06:00", "2026-11-03T05:00")
    )

    for office in (later, earlier):
        note_ended_well(office, "remind")

    assert {"remind": datetime(2026, 11, 3, 6, 0, tzinfo=UTC)} == last_good_ends(database)


def test_what_is_no_nightly_command_is_not_kept(tmp_path, database):
    note_ended_well(an_office_at(tmp_path, database, "2026-11-03T06:00"), "close-period")

    assert {} == last_good_ends(database)


def test_money_that_waits_too_long_is_told(tmp_path, october):
    key = a_payment(october, datetime(2026, 11, 2).date(), PaymentState.SUCCEEDED)
    with october.writing() as books:
        payment = sa.select(gateway_payment).where(gateway_payment.c.key == key)
        post_payment(books, books.execute(payment).one(), amount=Money(80_00))

    soon = looking(tmp_path, october, "2026-11-02T06:30")
    late = looking(tmp_path, october, "2026-11-02T07:30")

    assert [] == troubles(stuck_money(soon))
    (found,) = stuck_money(late)
    assert ("postings-stuck", NOW + timedelta(hours=1)) == (found.name, found.since)
    assert "1 payment, $80.00 taken" in found.detail


def test_a_silent_service_is_told_and_its_error_is_not_repeated(tmp_path, database):
    with database.writing() as books:
        books.execute(
            service_health.insert().values(
                service="cash receipting", failures=3, down_since=NOW, probes=0,
                error="for ann@example.org",
            )
        )  # fmt: skip

    (found,) = silent_services(looking(tmp_path, database, "2026-11-02T08:00"))

    assert ("service-down/cash-receipting", NOW) == (found.name, found.since)
    assert "ann@" not in str(found.to_figures())
