"""When each nightly command last ended well, kept in the books and not by who starts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.inserting import insert_or_update
from database.postings import stuck_postings
from database.tables import (
    bill_run,
    period_close,
    run_step,
    scheduled_payment,
    service_health,
    work_done,
)
from domain.payments import PaymentState
from domain.steps import Step
from domain.troubles import say_service, say_work
from domain.words import to_sentence
from office.equipment.office import Office
from office.health.conditions import Condition, Looking, or_well, start_of, trouble, unwatched
from rules.calendars import earliest_close, next_period

ONE_DAY = timedelta(days=1)
PERIOD = ("period", "starts_on", "ends_on")
EXPORT_FIRST = "Make the export in the billing system, and close the period with it."
LEFT_OPEN = "Close it; if it was left open on purpose, nothing needs to be done."
SCHEDULE_GRACE = timedelta(hours=1)  # a close that is under way schedules within minutes


def late_periods(looking: Looking) -> list[Condition]:
    """
    Find the period whose export is overdue, and those that could be closed and are not (5, 6).

    Which period comes next is told by the newest one in the books; before the first import there
    is nothing to expect. A close that waits for its export is one trouble, not two.
    """
    rows = _periods(looking)
    if not rows:
        nothing = "No period was ever imported."
        return unwatched("export-overdue", nothing) + unwatched("close-forgotten", nothing)
    newest = rows[-1]
    _, ends_on = next_period(newest.ends_on)
    overdue = list(_overdue(looking, ends_on))
    open_ends = [(row.period, row.ends_on, True) for row in rows if row.closed_at is None]
    if not overdue:
        open_ends.append((f"{ends_on:%Y-%m}", ends_on, False))
    return [
        *or_well("export-overdue", overdue, "Every export that is due was imported."),
        *or_well(
            "close-forgotten",
            (one for end in open_ends for one in _forgotten(looking, *end)),
            "Every period that could be closed is closed.",
        ),
    ]


def _overdue(looking: Looking, ends_on: date) -> Iterator[Condition]:
    late_on = ends_on + timedelta(days=looking.office.settings.health.export_days)
    if looking.today > late_on:
        yield trouble(
            "export-overdue",
            f"{ends_on:%Y-%m}",
            start_of(late_on + ONE_DAY, looking.zone),
            f"No export of the period that ended on {ends_on} was imported.",
            EXPORT_FIRST,
            command=f"{looking.office.command} close {ends_on:%Y-%m} FOLDER",
        )


def _forgotten(
    looking: Looking, period: str, ends_on: date, is_imported: bool
) -> Iterator[Condition]:
    first = earliest_close(ends_on, looking.office.office_days)
    if looking.today > first:
        left_out = "" if is_imported else ", and its export is not imported"
        yield trouble(
            "close-forgotten",
            period,
            start_of(first + ONE_DAY, looking.zone),
            f"Period {period} could be closed since {first} and is not closed{left_out}.",
            LEFT_OPEN if is_imported else EXPORT_FIRST,
            command=f"{looking.office.command} close {period}{'' if is_imported else ' FOLDER'}",
        )


def _periods(looking: Looking) -> list[Any]:
    query = (
        sa.select(
            bill_run.c.period, bill_run.c.starts_on, bill_run.c.ends_on, period_close.c.closed_at
        )
        .outerjoin(period_close, period_close.c.period == bill_run.c.period)
        .order_by(bill_run.c.ends_on)
    )
    with looking.office.database.reading() as books:
        return list(books.execute(query))


def forgotten_schedules(looking: Looking) -> list[Condition]:
    """Find closed periods whose autopay was not scheduled (rule 73)."""
    is_scheduled = sa.exists().where(
        run_step.c.period == period_close.c.period, run_step.c.step == Step.SCHEDULE.value
    )
    query = (
        sa.select(period_close.c.period, period_close.c.closed_at)
        .where(~is_scheduled, period_close.c.closed_at <= looking.now - SCHEDULE_GRACE)
        .order_by(period_close.c.period)
    )
    with looking.office.database.reading() as books:
        rows = list(books.execute(query))
    troubles = (
        trouble(
            "schedule-forgotten",
            row.period,
            row.closed_at,
            f"Period {row.period} is closed and its autopay was never scheduled.",
            "Schedule as soon as you can; who is past the chosen day is drawn at once.",
            command=f"{looking.office.command} schedule-autopay {row.period}",
        )
        for row in rows
    )
    return or_well("schedule-forgotten", troubles, "The autopay of every close is scheduled.")


def stuck_money(looking: Looking) -> list[Condition]:
    """Find payments that were taken and are not in cash receipting for too long (rules 84-86)."""
    after = timedelta(minutes=looking.office.settings.cash_receipting.stuck_after_minutes)
    stuck = stuck_postings(looking.office.database, looking.now, after)
    if not stuck.count or stuck.since is None:
        return or_well("postings-stuck", (), "What was taken is posted.")
    detail = f"{stuck} taken and for too long not posted in cash receipting."
    remedy = "Have them posted now; nobody is charged by it."
    if stuck.rejected:
        remedy = "Put right what the list of pending payments says of those that were rejected."
    command = stuck.say_remedy(looking.office.command).replace("`", "").removeprefix("run ")
    since = stuck.since + after
    return [trouble("postings-stuck", "", since, detail, remedy, command=command)]


def silent_services(looking: Looking) -> list[Condition]:
    """
    Find the services that the books know to be down (rules 186-188).

    Their two mails have words of their own and are told by whoever posts.
    """
    query = (
        sa.select(service_health.c.service, service_health.c.down_since)
        .where(service_health.c.down_since.is_not(None))
        .order_by(service_health.c.service)
    )
    with looking.office.database.reading() as books:
        rows = list(books.execute(query))
    troubles = (
        trouble(
            "service-down",
            row.service.replace(" ", "-"),
            row.down_since,
            f"{say_service(row.service)} does not answer.",
            "Ask IT to restart that service on its server, then have what waits posted.",
            command=f"{looking.office.command} retry-postings --now",
        )
        for row in rows
    )
    return or_well("service-down", troubles, "Cash receipting answers.")


KIND = "work-missed"
REMIND, COLLECT, BOUNCES, WATCH = "remind", "collect-autopay", "process-bounces", "health-watch"
NOTIFY = "send-notices"
NIGHTLY = (REMIND, COLLECT, BOUNCES, WATCH, NOTIFY, "retry-postings", "send-mail")
WATCH_HOURS = 2
OPEN = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)
Expected = tuple[str, int, datetime]  # a command, hours of patience, since when it is needed


def note_ended_well(office: Office, command: str) -> None:
    """Write down that a nightly flow ended well just now; a rehearsal does not count."""
    if office.rehearses or command not in NIGHTLY:
        return
    now = office.due_now()
    with office.database.writing() as books:
        row = insert_or_update(books.dialect.name, work_done).values(command=command, ended_at=now)
        books.execute(
            row.on_conflict_do_update(
                index_elements=["command"],
                set_={"ended_at": now},
                where=work_done.c.ended_at < now,  # another machine may have ended later
            )
        )


def last_good_ends(database: Database) -> dict[str, datetime]:
    """Return when each command last ended well."""
    with database.reading() as books:
        rows = books.execute(sa.select(work_done.c.command, work_done.c.ended_at))
        return {row.command: row.ended_at for row in rows}


def missed_work(looking: Looking) -> list[Condition]:
    """
    Find the nightly commands that are expected and have not ended well for too long.

    Whether cron, systemd, Prefect or a person starts them does not matter: none of them tells of
    a night on which nothing was started.
    """
    ends = last_good_ends(looking.office.database)
    return or_well(KIND, _missed(looking, ends), "What runs every night has run.")


def _missed(looking: Looking, ends: dict[str, datetime]) -> Iterator[Condition]:
    for command, hours, needed in _expected(looking, ends):
        since = max(needed, ends.get(command, needed))
        now = looking.looked_until if command == WATCH else looking.now
        if hours and now - since > timedelta(hours=hours):
            last = ends.get(command)
            when = f"has not ended well since {looking.say_time(last)}" if last else "never ran"
            yield trouble(
                KIND,
                command,
                since,
                to_sentence(f"{say_work(command)} {when}"),
                "Ask whoever looks after the machine to start it now, and to find out in its log "
                "why it did not start by itself.",
                command=_typed(looking.office, command),
            )


def _expected(looking: Looking, ends: dict[str, datetime]) -> Iterator[Expected]:
    chosen = looking.office.settings
    closed, due_on = _needs(looking)
    if closed is not None:
        yield REMIND, chosen.health.remind_hours, closed
        if chosen.bounces.source:
            yield BOUNCES, chosen.health.bounces_hours, closed
    if due_on is not None and due_on <= looking.today:
        yield COLLECT, chosen.health.collect_hours, start_of(due_on, looking.zone)
    if NOTIFY in ends:
        yield NOTIFY, chosen.health.remind_hours, ends[NOTIFY]
    if WATCH in ends:
        yield WATCH, WATCH_HOURS, ends[WATCH]


def _needs(looking: Looking) -> tuple[Any, Any]:
    """Return since when a period is closed, and the first day on which a payment is due."""
    with looking.office.database.reading() as books:
        closed = books.scalar(sa.select(sa.func.max(period_close.c.closed_at)))
        due_on = books.scalar(
            sa.select(sa.func.min(scheduled_payment.c.pay_on)).where(
                scheduled_payment.c.state.in_(OPEN)
            )
        )
    return closed, due_on


def _typed(office: Office, command: str) -> str:
    words = {COLLECT: "collect", NOTIFY: "notify", WATCH: "health --tell"}
    return f"{office.command} {words.get(command, command)}"
