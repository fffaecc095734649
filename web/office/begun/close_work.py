"""A close, a schedule or a rehearsal in a process of its own, watched in the books by a page."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.desk import desk_work
from database.inserting import one_after_the_other
from database.migrating import require_schema
from database.owners import is_gone, this_process
from domain.desk_work import CLOSES, WorkKind, WorkState
from domain.failures import Misuse, NobodyMailed, Refused
from office.clock import Clock
from office.equipment.office import Office, never
from office.home import require_home
from office.prefect_server.flow_runs import run_flow
from office.procedures.closing.close_figures import sheet_figures
from office.procedures.closing.rehearsal import rehearsal
from office.settings.settings import open_settings
from web.office.begun.mailing_work import send_mailing
from web.office.begun.schedule_work import rehearse_schedule, take_schedule
from web.office.begun.steps import written_down

WORK = "import sys; from web.office.begun.close_work import work; work(sys.argv[1], sys.argv[2])"


def begin_work(
    office: Office,
    kind: WorkKind,
    period: str,
    bundle: str,
    now: datetime,
    asked: str = "",
    *,
    unless: tuple[WorkKind, ...] = CLOSES,
) -> bool:
    """
    Record what is to be done, then start the process that does it; return whether it was begun.

    `asked` is the choice that a schedule goes by, as JSON. Nothing is begun while work of the
    kinds `unless` goes on for the period: whoever presses twice, or in two tabs, finds that.

    A command that works on it is kept apart by the period's lock, as two commands are.
    """
    key = secrets.token_hex(16)
    with office.database.writing() as books:
        one_after_the_other(books, f"desk work {period}")
        if is_going_on(_newest(books, period, unless), now):
            return False
        books.execute(
            desk_work.insert().values(
                key=key,
                kind=kind,
                period=period,
                bundle=bundle,
                asked=asked,
                who=office.who,
                state=WorkState.BEGUN,
                began_at=now,
            )
        )
        record_audit(books, now, office.who, f"begin {kind}", period, asked)
    folder = office.folder("logs")
    as_of = office.clock.as_of.isoformat() if office.clock.as_of else ""
    with (folder / "office-pages.log").open("ab") as log:
        words = [sys.executable, "-P", "-c", WORK, str(office.home.resolve()), f"{key}/{as_of}"]
        subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return True


def newest_work(office: Office, period: str, kinds: tuple[WorkKind, ...] = CLOSES) -> Any:
    """Return the newest piece of some kinds of work on a period, None where there was none."""
    with office.database.reading() as books:
        return _newest(books, period, kinds)


def _newest(books: Connection, period: str, kinds: tuple[WorkKind, ...]) -> Any:
    query = (
        sa.select(desk_work)
        .where(desk_work.c.period == period, desk_work.c.kind.in_(kinds))
        .order_by(desk_work.c.began_at.desc())
        .limit(1)
    )
    return books.execute(query).one_or_none()


def is_going_on(row: Any, now: datetime) -> bool:
    """Tell whether work is being done; whose process is gone, or never came, has stopped."""
    if row is None or row.state is not WorkState.BEGUN:
        return False
    if row.owner:
        return not is_gone(row.owner)
    return bool((now - row.began_at).total_seconds() < 60)


def work(home: str, what: str) -> None:
    """Do what a page recorded, and write down how it ended: the whole of this process."""
    key, _, as_of = what.partition("/")
    place = Path(home)
    require_home(place)
    clock = Clock(lambda: datetime.now(UTC), datetime.fromisoformat(as_of) if as_of else None)
    office = Office(place, open_settings(place), clock, "web desk", approves=never)
    require_schema(office.database)
    perform(office, key)


def perform(office: Office, key: str) -> None:
    """Do one piece of work in the name of whoever began it."""
    with office.database.writing() as books:
        books.execute(desk_work.update().where(desk_work.c.key == key).values(owner=this_process()))
        row = books.execute(sa.select(desk_work).where(desk_work.c.key == key)).one()
    acting = replace(office, who=row.who)
    ended: dict[str, Any]
    try:
        with written_down(office.database, key) as writer:
            ended = _DOES[row.kind](replace(acting, reporter=writer), row)
    except (Refused, Misuse) as found:
        ended = {"state": WorkState.REFUSED, "code": found.code, "sentence": found.message}
    except NobodyMailed as found:
        ended = {"state": WorkState.DONE, "sentence": found.message}
    except BaseException:
        _end(office, key, {"state": WorkState.FAILED, "sentence": _FAILED})
        raise
    _end(office, key, ended)


_FAILED = "It stopped. What was done stands; press the button again and it goes on from there."


def _end(office: Office, key: str, ended: dict[str, Any]) -> None:
    with office.database.writing() as books:
        now = office.moment()
        books.execute(
            desk_work.update().where(desk_work.c.key == key).values(ended_at=now, **ended)
        )


def _rehearse(office: Office, row: Any) -> dict[str, Any]:
    """Close in a copy of the books; keep the figures, refused or not."""
    with rehearsal(office) as copy:
        ended: dict[str, Any] = {"state": WorkState.DONE}
        try:
            _run(copy, row, office)
        except NobodyMailed as found:
            ended["sentence"] = found.message
        except (Refused, Misuse) as found:
            ended = {"state": WorkState.REFUSED, "code": found.code, "sentence": found.message}
        ended["figures"] = json.dumps(sheet_figures(copy, row.period))
    return ended


def _close(office: Office, row: Any) -> dict[str, Any]:
    state = _run(office, row)
    waits = state.name == "Waiting"
    return {"state": WorkState.WAITING if waits else WorkState.DONE}


_DOES: dict[WorkKind, Callable[[Office, Any], dict[str, Any]]] = {
    WorkKind.REHEARSAL: _rehearse,
    WorkKind.CLOSE: _close,
    WorkKind.SCHEDULE_REHEARSAL: rehearse_schedule,
    WorkKind.SCHEDULE: take_schedule,
    WorkKind.MASS_MAIL: send_mailing,
}


def _run(office: Office, row: Any, real: Office | None = None) -> Any:
    """Run the close; which run of Prefect it is stands in the real books from its start on."""

    def note(flow: Any, flow_run: Any, state: Any) -> None:  # named as Prefect gives them
        with (real or office).database.writing() as books:
            mine = desk_work.c.key == row.key
            books.execute(desk_work.update().where(mine).values(flow_run=str(flow_run.id)))

    def load() -> Any:
        from data_checks.checking import warm_up
        from flows.close_period import close_period

        warm_up()
        return close_period.with_options(on_running=[note])

    return run_flow(office, load, period=row.period, bundle=row.bundle or None, replace=False)
