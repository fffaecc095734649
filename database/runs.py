"""Bill runs in the books: their state, their steps, and who is working on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.books import Database
from database.owners import describe, is_gone
from database.queries.periods import unknown_period
from database.tables import bill_run, period_close, run_lock, run_step
from domain.failures import Refused
from domain.periods import FINAL_CYCLE
from domain.runs import RUN, RunState

LOCK_LEASE = timedelta(minutes=2)  # a holder on another machine that is silent for so long is gone
LOCK_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """What the steps of a close need to know of it."""

    period: str
    state: RunState
    utility: str
    timezone: str
    starts_on: date
    ends_on: date
    due_on: date
    export_sha256: str

    @property
    def is_closed(self) -> bool:
        return self.state in (RunState.CLOSED, RunState.FINISHED)


def find_run(database: Database, period: str) -> Run | None:
    with database.reading() as books:
        row = books.execute(
            sa.select(*(bill_run.c[name] for name in Run.__dataclass_fields__)).where(
                bill_run.c.period == period
            )
        ).one_or_none()
    return None if row is None else Run(**row._mapping)


def get_run(database: Database, period: str) -> Run:
    """Return a run; raises Misuse where no export of that period was imported."""
    found = find_run(database, period)
    if found is None:
        with database.reading() as books:
            raise unknown_period(books, period)
    return found


def newest_timezone(database: Database) -> str:
    """Return the utility's time zone as its newest export names it; UTC before the first."""
    with database.reading() as books:
        return timezone_of(books)


_NEWEST_TIMEZONE = (  # every page and every command asks for it
    sa.select(bill_run.c.timezone).order_by(bill_run.c.imported_at.desc()).limit(1)
)


def timezone_of(books: Connection) -> str:
    """Return the same in a transaction that is open already."""
    return books.execute(_NEWEST_TIMEZONE).scalar() or "UTC"


def newest_periods() -> sa.Select[Any]:
    """
    Select each cycle's newest closed period by its id: between them they know everybody.

    Final bills in periods of their own do not follow each other: each such period is the newest
    of its accounts (contract 5).
    """
    later, its_close = bill_run.alias("later"), period_close.alias("its_close")
    is_followed = sa.exists().where(
        later.c.cycle == bill_run.c.cycle,
        later.c.cycle != FINAL_CYCLE,
        later.c.starts_on > bill_run.c.starts_on,
        its_close.c.period == later.c.period,
    )
    return (
        sa.select(bill_run.c.period)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .where(~is_followed)
    )


def move_run(books: Connection, period: str, event: str) -> None:
    """Move a run's state by an event of the table in domain.runs."""
    state = books.execute(
        sa.select(bill_run.c.state).where(bill_run.c.period == period)
    ).scalar_one()
    after = RUN.after(RunState(state), event)
    books.execute(bill_run.update().where(bill_run.c.period == period).values(state=after))


# -- steps ----------------------------------------------------------------------------------------


def finished_step(database: Database, period: str, step: str) -> dict[str, Any] | None:
    """Return the summary of a step that was finished, None of one that was not."""
    with database.reading() as books:
        row = books.execute(
            sa.select(run_step.c.summary).where(
                run_step.c.period == period, run_step.c.step == step
            )
        ).one_or_none()
    if row is None:
        return None
    summary: dict[str, Any] = json.loads(row.summary)
    return summary


def list_finished_steps(database: Database, period: str) -> tuple[str, ...]:
    """List the steps of a run that have ended, in the order of the checklist."""
    query = (
        sa.select(run_step.c.step)
        .where(run_step.c.period == period, run_step.c.finished_at.is_not(None))
        .order_by(run_step.c.position)
    )
    with database.reading() as books:
        return tuple(books.execute(query).scalars())


def record_step(
    database: Database,
    period: str,
    step: str,
    position: int,
    started_at: datetime,
    finished_at: datetime,
    summary: dict[str, Any],
) -> None:
    """Write down that a step is done, how long it took and what it says of itself."""
    with database.writing() as books:
        books.execute(run_step.delete().where(run_step.c.period == period, run_step.c.step == step))
        books.execute(
            run_step.insert().values(
                period=period,
                step=step,
                position=position,
                started_at=started_at,
                finished_at=finished_at,
                summary=json.dumps(summary, default=str),
            )
        )


def forget_steps(database: Database, period: str, steps: tuple[str, ...]) -> None:
    """Let steps be done anew, because what they worked on has changed."""
    with database.writing() as books:
        books.execute(
            run_step.delete().where(run_step.c.period == period, run_step.c.step.in_(steps))
        )


# -- who is working on a run ----------------------------------------------------------------------


def take_lock(database: Database, period: str, who: str, owner: str, now: datetime) -> None:
    """
    Take the only right to work on a run for a process; a second close is told who has it.

    The lock of a process that is gone (killed, or silent from another machine for longer than the
    lease) is taken over. `owner` comes from database.owners. Raises Refused.
    """
    for _ in range(LOCK_ATTEMPTS):
        try:
            with database.writing() as books:
                previous = _replaceable_owner(books, period, owner, now)
                books.execute(
                    run_lock.delete().where(
                        run_lock.c.period == period, run_lock.c.owner == previous
                    )
                )
                books.execute(
                    run_lock.insert().values(
                        period=period, holder=who, owner=owner, taken_at=now, renewed_at=now
                    )
                )
            return
        except IntegrityError:  # somebody took it between our look and our insert: look again
            continue
    raise Refused("already-running", f"Period {period} is being worked on by somebody else.")


def _replaceable_owner(books: Connection, period: str, owner: str, now: datetime) -> str | None:
    """
    Return whose lock may be replaced, None where there is none; raises Refused.

    Only that owner's row may be deleted then: a row that came meanwhile is somebody else's.
    """
    row = books.execute(
        sa.select(run_lock).where(run_lock.c.period == period).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    if row.owner == owner or now - row.renewed_at > LOCK_LEASE or is_gone(row.owner):
        return str(row.owner)
    raise Refused(
        "already-running",
        f"Period {period} is being worked on by {row.holder} ({describe(row.owner)}, since "
        f"{row.taken_at:%H:%M} UTC); wait until that has ended, then run the command again.",
    )


def list_others_at_work(
    books: Connection, period: str, owner: str, now: datetime
) -> list[tuple[str, str]]:
    """List who works on which other period now; of a process that is gone nobody is left."""
    rows = books.execute(
        sa.select(run_lock)
        .where(run_lock.c.period != period, run_lock.c.owner != owner)
        .order_by(run_lock.c.period)
    ).all()
    return [
        (row.holder, row.period)
        for row in rows
        if now - row.renewed_at <= LOCK_LEASE and not is_gone(row.owner)
    ]


def renew_lock(database: Database, period: str, owner: str, now: datetime) -> None:
    with database.writing() as books:
        books.execute(
            run_lock.update()
            .where(run_lock.c.period == period, run_lock.c.owner == owner)
            .values(renewed_at=now)
        )


def release_lock(database: Database, period: str, owner: str) -> None:
    with database.writing() as books:
        books.execute(
            run_lock.delete().where(run_lock.c.period == period, run_lock.c.owner == owner)
        )
