"""Looks: is there work for a flow now? Plain code that reads, within milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cash_receipting.circuit_breaker import needs_work
from cash_receipting.queue import list_due
from database.runs import finished_step, get_run
from domain.deliveries import MessageKind
from domain.failures import Misuse, Refused
from domain.steps import Step
from mail.outbox.deliveries import count_due
from mail.outbox.recovery import has_leftovers
from office.equipment.office import Office
from office.procedures.texting.sending import has_due_texts
from rules.mail.delivery import is_part_due

Why = Callable[[Office, datetime], str]


@dataclass(frozen=True, slots=True)
class RoundLook:
    """
    One thing to look at: which deployment does the work, how often to look, and why it has work.

    `why` gives a sentence, or "" where there is nothing to do. `minutes` divides 60.
    """

    deployment: str
    minutes: int
    what: str
    why: Why

    @property
    def every(self) -> timedelta:
        return timedelta(minutes=self.minutes)


def looks_of(office: Office) -> tuple[RoundLook, ...]:
    """Return what an office looks at; none where the settings say that nothing runs by itself."""
    if not office.settings.prefect.schedules:
        return ()
    looks = [
        RoundLook("retry-postings", 1, "payments to be posted, a silent service", why_post),
        RoundLook("send-mail", 1, "mails that are due", why_send),
        RoundLook("health-watch", 5, "everything that may need a person", watch),
    ]
    if office.settings.bounces.source:
        looks.append(RoundLook("process-bounces", 15, "mails that came back", why_read_bounces))
    if office.settings.feed.folder or office.settings.feed.url:
        looks.append(RoundLook("take-in-feed", 15, "the billing system's feed", why_take_in))
    return tuple(looks)


def why_post(office: Office, now: datetime) -> str:
    """Say why postings need work: some are due, or a silent service is to be tried or told of."""
    if needs_work(office.database, office.cash_receipting.name, now):
        return "cash receipting is to be tried, or the office told"
    return "payments are to be posted" if list_due(office.database, now, limit=1) else ""


def why_send(office: Office, now: datetime) -> str:
    """Say why mail needs work: alerts wait in the outbox like any other mail, and so do texts."""
    why = why_send_kinds(office, now, tuple(MessageKind))
    return why or ("texts are due" if has_due_texts(office, now) else "")


def why_send_kinds(office: Office, now: datetime, kinds: tuple[MessageKind, ...]) -> str:
    """The same for mails of some kinds."""
    if has_leftovers(office.database, now):
        return "a sender was interrupted"
    resend = office.settings.ebill.resend_in_doubt
    is_due = count_due(office.database, now, kinds, resend_in_doubt=resend, most=1)
    return "mails are due" if is_due else ""


def watch(office: Office, _now: datetime) -> str:
    """Watch over the office at once: that is the work, and who watches needs no server for it."""
    from office.procedures.watching import watch_once  # loads what the other looks do without
    from office.rounds.telling import tell_server

    tell_server(office, watch_once(office))
    return ""


def why_read_bounces(office: Office, _now: datetime) -> str:
    """Say why bounces need work: mails came back, or what did is to be printed today."""
    from mail.recipients.suppressed import waiting_runs
    from office.equipment.mail import to_inbox
    from splitter.runs.print_plans import unfinished_periods

    with closing(to_inbox(office)) as inbox:
        if next(inbox.unread(), None) is not None:
            return "mails came back"
    with office.database.reading() as books:
        waiting = [*waiting_runs(books), *unfinished_periods(books)]
    return "bills that came back are to be printed" if any(_may_print(office, waiting)) else ""


def why_take_in(office: Office, now: datetime) -> str:
    """Say why the feed needs work: a file has come that is not in the books, or choices leave."""
    from office.procedures.feeding import has_due_choices, has_new_files

    try:
        if has_new_files(office):
            return "files of the feed have come"
    except (Misuse, Refused):  # of a file, not of the settings: the flow says it where people look
        return "a file of the feed cannot be taken in"
    return "choices of customers are to be told" if has_due_choices(office, now) else ""


def _may_print(office: Office, periods: Iterable[str]) -> Iterator[bool]:
    """Tell of each period whether its next part may be printed: one a day (tasks/bouncing.py)."""
    from splitter.runs.print_batch import last_later_part

    for period in periods:
        known, last = get_run(office.database, period), last_later_part(office.database, period)
        written_on = None if last is None else last.astimezone(ZoneInfo(known.timezone)).date()
        is_printed = finished_step(office.database, period, Step.PRINT) is not None
        yield is_printed and is_part_due(written_on, office.today(known))
