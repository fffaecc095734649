"""When each nightly command last ended well, kept in the books and not by who starts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.inserting import insert_or_update
from database.tables import period_close, scheduled_payment, work_done
from domain.payments import PaymentState
from office.health_condition import Condition, or_well, start_of, trouble
from office.health_looking import Looking
from office.wiring import Office

KIND = "work-missed"
REMIND, COLLECT, BOUNCES, WATCH = "remind", "collect-autopay", "process-bounces", "health-watch"
NOTIFY = "send-notices"
NIGHTLY = (REMIND, COLLECT, BOUNCES, WATCH, NOTIFY, "retry-postings", "send-mail")
WATCH_HOURS = 2
OPEN = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)
Expected = tuple[str, int, datetime]  # a command, hours of patience, since when it is needed


def note_ended_well(here: Office, command: str) -> None:
    """Write down that a nightly flow ended well just now; a rehearsal does not count."""
    if here.rehearses or command not in NIGHTLY:
        return
    now = here.due_now()
    with here.database.writing() as books:
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
    ends = last_good_ends(looking.here.database)
    return or_well(KIND, _missed(looking, ends), "What runs every night has run.")


def _missed(looking: Looking, ends: dict[str, datetime]) -> Iterator[Condition]:
    for command, hours, needed in _expected(looking, ends):
        since = max(needed, ends.get(command, needed))
        if hours and looking.now - since > timedelta(hours=hours):
            last = ends.get(command)
            when = f"has not ended well since {last:%Y-%m-%d %H:%M} UTC" if last else "never ran"
            yield trouble(
                KIND,
                command,
                since,
                f"{command} {when}.",
                f"Start it now ({_typed(looking.here, command)}), then look why the schedule did "
                "not: the timer or `billclose up` on that machine, and its log.",
            )


def _expected(looking: Looking, ends: dict[str, datetime]) -> Iterator[Expected]:
    chosen = looking.here.settings
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
    with looking.here.database.reading() as books:
        closed = books.scalar(sa.select(sa.func.max(period_close.c.closed_at)))
        due_on = books.scalar(
            sa.select(sa.func.min(scheduled_payment.c.pay_on)).where(
                scheduled_payment.c.state.in_(OPEN)
            )
        )
    return closed, due_on


def _typed(here: Office, command: str) -> str:
    words = {COLLECT: "collect", NOTIFY: "notify", WATCH: "health --tell"}
    return f"{here.command} {words.get(command, command)}"
