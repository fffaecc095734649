"""Where the month stands: periods, what waits for a person, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from corrections.undo.looking import waiting_undos
from database.definitions.corrections import period_undo
from database.runs import newest_periods, newest_timezone
from database.tables import bill_run, gateway_payment, period_close
from domain.ledger import EntryKind
from domain.money import ZERO
from domain.payments import PaymentState
from domain.periods import FINAL_CYCLE
from domain.runs import RunState
from domain.words import say_count
from mail.reminders.exemptions import Undrawn
from office.equipment.office import Office
from office.lookup.headline import Headline, read_headline
from office.procedures.lists import select_list
from office.procedures.printing import waiting_files
from payments.bank.keeping import read_standing as read_bank
from reporting.lists.catalog import LISTS
from rules.calendars import earliest_close, next_period

PERIODS = 6
BANK_DIFFERENCES = "bank-differences"  # of no list: `deposits match` shows them
UNDO = "undo"  # nor is this: `undo PERIOD` shows it
AHEAD = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class PeriodStanding:
    """One period and how far it is."""

    period: str
    cycle: str
    state: RunState
    is_closed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class WaitingMatter:
    """How many rows of a list a person should look at."""

    what: str
    count: int
    sentence: str
    period: str = ""


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """Something that is done or falls on a local day to come."""

    on: date
    sentence: str


@dataclass(frozen=True, slots=True)
class OfficeStanding:
    """Where the month stands at a moment."""

    months: tuple[PeriodStanding, ...]
    matters: tuple[WaitingMatter, ...]
    coming: tuple[ComingEvent, ...]
    headline: Headline


def read_standing(office: Office) -> OfficeStanding:
    """Read where the month stands; every figure is of this moment (rule 8)."""
    today = office.local_today()
    coming = sorted(_coming(office, today), key=lambda event: event.on)
    headline = read_headline(office)
    matters = (*_overdue_draws(headline.undrawn), *read_matters(office))
    return OfficeStanding(read_months(office), matters, tuple(coming), headline)


def read_months(office: Office) -> tuple[PeriodStanding, ...]:
    """Tell of the newest periods how far each is, the newest first."""
    zone = ZoneInfo(newest_timezone(office.database))
    with office.database.reading() as books:
        rows = books.execute(_periods()).all()
    return tuple(_to_month(row, zone) for row in rows)


def read_matters(office: Office) -> tuple[WaitingMatter, ...]:
    """Count what needs a person, by the lists that show it; but for draws, which a headline has."""
    matters = _bank_differences(office) + _undos(office)
    for what, noun, tail in _LOOKED_AT:
        if what not in LISTS:
            continue
        if count := _count_matters(office, what):
            matters.append(WaitingMatter(what, count, f"{say_count(count, noun)} {tail}"))
    return (*matters, *_open_disputes(office))


def _count_matters(office: Office, what: str) -> int:
    if what == "print-batches":  # one that is gone from where it was written is fetched
        return len(waiting_files(office))
    shown = select_list(office, what).subquery()
    query = sa.select(sa.func.count()).select_from(shown)
    if what == "bounces":
        query = query.where(shown.c.waits.is_(True))
    with office.database.reading() as books:
        return books.scalar(query) or 0


def _overdue_draws(late: Undrawn) -> list[WaitingMatter]:
    """Tell of payments whose day is past and that nobody collected (ruling 20)."""
    if late.since is None:
        return []
    sentence = (
        f"{say_count(late.payments, 'autopay payment')} due since {_say(late.since)} and not drawn,"
        f" {late.amount.dollars()}: collecting is overdue"
    )
    return [WaitingMatter("scheduled-payments", late.payments, sentence)]


def _bank_differences(office: Office) -> list[WaitingMatter]:
    """Tell of what does not agree between the bank's files and the payouts (rule 116)."""
    found = read_bank(office.database, office.bank_terms.nearness).differences
    if not found:
        return []
    sentence = f"{say_count(len(found), 'difference')} between the bank and the gateway's payouts"
    return [WaitingMatter(BANK_DIFFERENCES, len(found), sentence)]


def _open_disputes(office: Office) -> list[WaitingMatter]:
    """Tell of disputes that the office may still answer, and until when."""
    zone = newest_timezone(office.database)
    rows = select_list(office, "returned-payments").subquery().c
    lost = (PaymentState.RETURNED, PaymentState.RETURNED_IN_PART)
    is_open = sa.and_(
        rows.kind == EntryKind.DISPUTE,
        rows.answer_by >= office.clock.due(zone),
        rows.state.in_(lost),
    )
    query = sa.select(sa.func.count(), sa.func.min(rows.answer_by)).where(is_open)
    with office.database.reading() as books:
        count, first = books.execute(query).one()
    if not count:
        return []
    sentence = (
        f"{say_count(count, 'disputed payment')} to be answered at the gateway, "
        f"the first by {_say(first.astimezone(ZoneInfo(zone)).date())}"
    )
    return [WaitingMatter("returned-payments", count, sentence)]


def _undos(office: Office) -> list[WaitingMatter]:
    """Tell of closes that one person wants taken back, where two have to."""
    with office.database.reading() as books:
        periods = waiting_undos(books)
    return [
        WaitingMatter(
            UNDO, 1, f"taking the close of {period} back waits for another person's yes", period
        )
        for period in periods
    ]


def to_document(standing: OfficeStanding) -> dict[str, Any]:
    """Write it as programs read it."""
    return {
        "headline": standing.headline.sentence,
        "do": [
            {
                "sentence": act.sentence,
                "about": act.about,
                "period": act.period or None,
                "code": act.code or None,
            }
            for act in standing.headline.acts
        ],
        "periods": [
            {
                "period": month.period,
                "cycle": month.cycle,
                "state": month.state.value,
                "closed": month.is_closed,
                "sentence": month.sentence,
            }
            for month in standing.months
        ],
        "waits": [
            {
                "list": one.what if one.what in LISTS else None,
                "count": one.count,
                "sentence": one.sentence,
            }
            for one in standing.matters
        ],
        "next": [
            {"date": event.on.isoformat(), "sentence": event.sentence} for event in standing.coming
        ],
    }


_LOOKED_AT = (
    ("pending-payments", "payment", "not in cash receipting"),
    ("unknown-payments", "payment", "in doubt"),
    ("bounces", "returned email", "to be judged"),
    ("outsorted", "bill", "held back"),
    ("print-batches", "print file", "not fetched by anybody"),
    ("exceptions", "exception", "in all periods"),
)
_SAID = {
    RunState.WAITING: "ready: it waits for a yes",
    RunState.REFUSED: "refused: correct the export, or approve it in spite of that",
}


def _periods() -> sa.Select[Any]:
    columns = (
        bill_run.c.period, bill_run.c.cycle, bill_run.c.state, bill_run.c.imported_at,
        bill_run.c.due_on, period_close.c.closed_at, period_close.c.closed_by,
        period_undo.c.undone_at, period_undo.c.undone_by,
    )  # fmt: skip
    other = period_undo.alias("other")
    last = sa.select(sa.func.max(other.c.number)).where(other.c.period == bill_run.c.period)
    is_last = sa.and_(
        period_undo.c.period == bill_run.c.period,
        period_undo.c.number == last.scalar_subquery(),
        period_undo.c.undone_at >= bill_run.c.imported_at,  # of this export, not of one before
    )
    return (
        sa.select(*columns)
        .outerjoin(period_close, period_close.c.period == bill_run.c.period)
        .outerjoin(period_undo, is_last)
        .order_by(bill_run.c.starts_on.desc(), bill_run.c.period.desc())
        .limit(PERIODS)
    )


def _to_month(row: Any, zone: ZoneInfo) -> PeriodStanding:
    is_closed = row.closed_at is not None
    if is_closed:
        day = _say(row.closed_at.astimezone(zone).date())
        sentence = (
            f"{row.period} was closed on {day} by {row.closed_by}; its bills are due on "
            f"{_say(row.due_on)}."
        )
        if row.state is not RunState.FINISHED:
            sentence += " Its steps after the close are not all done: close it again to go on."
    elif row.undone_at is not None and row.state is RunState.REFUSED:
        day = _say(row.undone_at.astimezone(zone).date())
        sentence = (
            f"The close of {row.period} was taken back on {day} by {row.undone_by}: correct the "
            "export and close it again, or approve it as it is."
        )
    else:
        day = _say(row.imported_at.astimezone(zone).date())
        said = _SAID.get(row.state, row.state.value)
        sentence = f"{row.period} was imported on {day} and is {said}."
    return PeriodStanding(row.period, row.cycle, row.state, is_closed, sentence)


def _coming(office: Office, today: date) -> list[ComingEvent]:
    """Find the next due dates, draws and closes; each cycle has its own dates (contract 5)."""
    events = []
    with office.database.reading() as books:
        newest = books.scalars(newest_periods()).all()
        rows = books.execute(_runs(newest)).all()
        draws = books.execute(_draws(today)).all()
    for row in rows:
        if row.due_on >= today:
            events.append(ComingEvent(row.due_on, f"the bills of {row.period} are due"))
        if row.cycle == FINAL_CYCLE:
            continue  # final bills in periods of their own follow no calendar
        _, ends_on = next_period(row.ends_on)
        named = f" of cycle {row.cycle}" if row.cycle else ""
        closes_on = earliest_close(ends_on, office.office_days)
        if today <= closes_on <= today + AHEAD:
            what = f"the first day to close the period{named} that ends on {_say(ends_on)}"
            events.append(ComingEvent(closes_on, what))
    for day, payments, amount in draws:
        what = f"{say_count(payments, 'autopay payment')} to be drawn, {(amount or ZERO).dollars()}"
        events.append(ComingEvent(day, what))
    return events


def _runs(periods: Sequence[str]) -> sa.Select[Any]:
    """Select runs in the order in which events of one day are told: by cycle."""
    runs = bill_run.c
    return (
        sa.select(bill_run)
        .where(runs.period.in_(periods))
        .order_by(runs.ends_on, runs.cycle, runs.period)
    )


def _draws(today: date) -> sa.Select[Any]:
    rows = gateway_payment.c
    return (
        sa.select(rows.pay_on, sa.func.count(), sa.func.sum(rows.amount))
        .where(rows.state == PaymentState.SCHEDULED, rows.pay_on >= today)
        .group_by(rows.pay_on)
        .order_by(rows.pay_on)
        .limit(5)
    )


def _say(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"
