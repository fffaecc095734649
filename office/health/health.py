"""The office's health: everything that may need a person, looked at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.runs import newest_timezone
from database.tables import incident
from office.equipment.office import Office
from office.health.bank import differing_deposits
from office.health.conditions import Condition, Looking, State, trouble
from office.health.feed import stale_feed
from office.health.machine import (
    ask_mail_server,
    clock_off,
    database_offset,
    full_disks,
    mail_server_offset,
    stopped_mails,
    web_offset,
)
from office.health.nights import lost_events, silent_rounds
from office.health.paper import KIND as PAPER
from office.health.paper import differing_print_files
from office.health.prefect import failed_runs, late_runs, waiting_closes
from office.health.texts import waiting_texts
from office.health.work import (
    forgotten_schedules,
    late_periods,
    missed_work,
    silent_services,
    stuck_money,
)

SECONDS = 4.0  # a server that has not answered by then is asked again at the next look
Offsets = dict[str, timedelta]
# What only a watch looks at: servers, which may be silent, and files, which take long to read.
ASKED = ("run-late", "run-failed", "prefect-down", "mail-server-down", PAPER)


@dataclass(frozen=True, slots=True)
class Health:
    """What was found, those in trouble first."""

    conditions: tuple[Condition, ...]

    @property
    def troubles(self) -> tuple[Condition, ...]:
        return tuple(one for one in self.conditions if one.state is State.TROUBLE)

    def to_figures(self) -> dict[str, Any]:
        return {
            "status": "trouble" if self.troubles else "well",
            "conditions": [one.to_figures() for one in self.conditions],
        }


def look(office: Office, seconds: float = SECONDS) -> Health:
    """
    Look at everything and change nothing; servers are asked side by side, for `seconds` at most.

    Since when a trouble lasts is what the first look found, whose incident is open.
    """
    looking = _looking(office)
    answers = _side_by_side(_questions(looking, seconds), seconds + 1)
    offsets: Offsets = database_offset(looking)
    for name, answer in answers.items():
        if name.startswith("clock"):
            offsets |= answer
    asked = [
        *answers.get("prefect", [Condition("run-late", State.UNKNOWN, "No answer in time.")]),
        *answers.get("runs", [Condition("run-failed", State.UNKNOWN, "No answer in time.")]),
        *_mail_server(looking, answers.get("mail", [_silent_mail_server(looking)])),
        *differing_print_files(looking),
    ]
    return _health(looking, asked, offsets)


def look_at_books(office: Office) -> Health:
    """
    Look at everything that this machine and the books tell, and ask no server: in milliseconds.

    Of mail server, Prefect server, clocks and print files it says what the last watch found.
    """
    looking = _looking(office)
    return _health(looking, list(_as_watched(looking)), database_offset(looking))


def _looking(office: Office) -> Looking:
    zone = newest_timezone(office.database)
    return Looking(office, office.clock.due(zone), zone, _open_incidents(office))


def _health(looking: Looking, asked: list[Condition], offsets: Offsets) -> Health:
    """Put what servers were asked for together with what is looked at here."""
    found = [
        *late_periods(looking),
        *forgotten_schedules(looking),
        *waiting_closes(looking),
        *missed_work(looking),
        *silent_rounds(looking),
        *lost_events(looking),
        *silent_services(looking),
        *stuck_money(looking),
        *differing_deposits(looking),
        *stale_feed(looking),
        *waiting_texts(looking),
        *asked,
        *clock_off(looking, offsets),
        *full_disks(looking),
    ]
    dated = (replace(one, since=looking.known.get(one.name, one.since)) for one in found)
    return Health(tuple(sorted(dated, key=lambda one: one.state is not State.TROUBLE)))


def _as_watched(looking: Looking) -> Iterator[Condition]:
    """Repeat what the last watch said of servers; what is open is in its own words."""
    query = sa.select(incident).where(incident.c.ended_at.is_(None)).order_by(incident.c.condition)
    with looking.office.database.reading() as books:
        opened = books.execute(query).all()
    for kind in ASKED:
        rows = [row for row in opened if row.condition.partition("/")[0] == kind]
        for row in rows:
            _, _, about = row.condition.partition("/")
            yield Condition(
                kind,
                State.TROUBLE,
                row.detail,
                about,
                row.since,
                row.remedy,
                command=row.command,
            )
        if not rows:
            yield Condition(kind, State.WELL, "The last watch found nothing.")


def without_books(now: datetime, command: str) -> Health:
    """Say that the database does not answer, which is all that can be said then."""
    remedy = "Ask IT to start it, or to check database.url; then look again."
    detail = "The database does not answer; nothing can be done without it."
    again = f"{command} health"
    return Health((trouble("database-down", "", now, detail, remedy, command=again),))


def _questions(looking: Looking, seconds: float) -> dict[str, Callable[[], Any]]:
    chosen = looking.office.settings
    urls = [chosen.health.clock_url]
    if chosen.cash_receipting.system == "rest":
        urls.append(chosen.cash_receipting.url)
    return {
        "mail": lambda: ask_mail_server(looking, seconds),
        "prefect": lambda: late_runs(looking, seconds),
        "runs": lambda: failed_runs(looking, seconds),
        "clock of the mail server": lambda: mail_server_offset(looking, seconds),
        **{f"clock of {url}": _clock_of(looking, url, seconds) for url in filter(None, urls)},
    }


def _clock_of(looking: Looking, url: str, seconds: float) -> Callable[[], Offsets]:
    return lambda: web_offset(looking, url, seconds)


def _side_by_side(questions: dict[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """
    Ask all at once and return the answers that came in time.

    A name that no server resolves may hold a thread for longer than any time-out of ours, so it
    is left alone; it ends with the process.
    """
    answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for name, ask in questions.items():
        run = threading.Thread(target=_answer, args=(answers, name, ask), daemon=True)
        run.start()
    found: dict[str, Any] = {}
    end = time.monotonic() + seconds
    while len(found) < len(questions) and (left := end - time.monotonic()) > 0:
        try:
            name, answer = answers.get(timeout=left)
        except queue.Empty:
            break
        found[name] = answer
    return found


def _answer(answers: queue.SimpleQueue[tuple[str, Any]], name: str, ask: Callable[[], Any]) -> None:
    answers.put((name, ask()))


def _mail_server(looking: Looking, answer: list[Condition]) -> list[Condition]:
    """Say of a mail server that answers whether it takes mail."""
    is_well = all(one.state is State.WELL for one in answer)
    return (stopped_mails(looking) if is_well else []) or answer


def _silent_mail_server(looking: Looking) -> Condition:
    detail = "The mail server does not answer: no answer in time."
    remedy = "Ask IT to look after the mail server and its name in DNS; what waits is sent later."
    return trouble("mail-server-down", "", looking.now, detail, remedy, looking.grace)


def _open_incidents(office: Office) -> dict[str, datetime]:
    query = sa.select(incident.c.condition, incident.c.since).where(incident.c.ended_at.is_(None))
    with office.database.reading() as books:
        return {row.condition: row.since for row in books.execute(query)}


def names_in_doubt(conditions: Iterable[Condition]) -> frozenset[str]:
    """Return the kinds of which nothing could be found out: what was open of them stays so."""
    return frozenset(one.kind for one in conditions if one.state is State.UNKNOWN)
