"""Past months closed once more, each in a rehearsal of its own, beside what the office did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.export.fields import MANIFEST
from billing_system.history import take_in_history
from billing_system.past_outcomes import PastMonth, read_past_month
from billing_system.port import BillingExport
from database.tables import autopay_unscheduled, delivery, paper, planned_payment, scheduled_payment
from domain.accounts import account_key
from domain.deliveries import MessageKind
from domain.failures import Misuse
from domain.past_outcomes import Outcome, OutcomeDifference, OutcomeKind
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.closing.rehearsal import blank_rehearsal
from rules.calendars import earliest_close
from rules.past_outcomes import Reasons, compare_outcomes

AT = time(9)  # of the first day on which the month could be closed
MONTHS_BEFORE = 13  # that a month is compared with, where there are so many


@dataclass(frozen=True, slots=True)
class PastExport:
    """One month to replay: its export, where that lies, and what the office did."""

    bundle: Path
    export: BillingExport
    told: PastMonth


@dataclass(frozen=True, slots=True)
class ReplayedMonth:
    """What a month came to beside what the office did; `refusal` says why it would not close."""

    period: str
    refusal: str
    alike: Counter[OutcomeKind]
    differences: tuple[OutcomeDifference, ...]
    kinds: frozenset[OutcomeKind]
    unread: tuple[str, ...]


def find_past_exports(office: Office, folder: Path, against: Path) -> list[PastExport]:
    """
    Read the exports of a folder, by their periods' ends, and what the office did in each.

    Raises Misuse where a folder holds no export, two are of one period or of two utilities, or
    the office told nothing of a month.
    """
    bundles = _bundles(folder)
    if not against.is_dir():
        raise Misuse(f"There is no folder {against} with what the office did.", "against")
    exports = list[PastExport]()
    for bundle in bundles:
        export = office.billing_system.read_export(bundle)
        for other in exports:
            _require_another_month(PastExport(bundle, export, other.told), other)
        told = against / export.period.id
        if not told.is_dir():
            raise Misuse(
                f"{against} has no folder {export.period.id}; write there what the office did in "
                f"the month of {bundle.name}",
                "against",
            )
        exports.append(PastExport(bundle, export, read_past_month(told)))
    return sorted(exports, key=lambda one: one.export.period.ends_on)


def find_months_without_export(months: Sequence[PastExport], against: Path) -> tuple[str, ...]:
    """Return the folders in which the office told of a month that no export is there for."""
    replayed = {one.export.period.id for one in months}
    told = (lies.name for lies in against.iterdir() if lies.is_dir())
    return tuple(sorted(name for name in told if name not in replayed and not name.startswith(".")))


def _require_another_month(one: PastExport, other: PastExport) -> None:
    period = one.export.period.id
    if period == other.export.period.id:
        raise Misuse(
            f"{other.bundle.name} and {one.bundle.name} are both exports of the period {period}; "
            "take one of them out of the folder",
            "same-period",
        )
    if one.export.utility.name != other.export.utility.name:
        raise Misuse(
            f"{other.bundle.name} is an export of {other.export.utility.name}, {one.bundle.name} "
            f"one of {one.export.utility.name}; replay one utility's months at a time",
            "other-utility",
        )


def _bundles(folder: Path) -> list[Path]:
    """Return each folder and .zip in a folder; what is no export says so when it is read."""
    if not folder.is_dir():
        raise Misuse(f"There is no folder {folder} with past exports.", "no-bundle")
    if (folder / MANIFEST).is_file():
        raise Misuse(f"{folder} is an export itself; name the folder that holds it", "no-bundle")
    found = [
        lies
        for lies in sorted(folder.iterdir())
        if (lies.is_dir() and not lies.name.startswith(".")) or lies.suffix.casefold() == ".zip"
    ]
    if not found:
        raise Misuse(
            f"{folder} holds no export: each is a folder with a {MANIFEST}, or a .zip",
            "no-bundle",
        )
    return found


@contextmanager
def replay_office(
    office: Office, month: PastExport, before: Sequence[PastExport]
) -> Iterator[Office]:
    """Give an office of its own for one month: empty books, the months before for comparison."""
    first_day = earliest_close(month.export.period.ends_on, office.office_days)
    clock = Clock(office.clock.wall, datetime.combine(first_day, AT))
    with blank_rehearsal(office, clock) as copy:
        for earlier in before[-MONTHS_BEFORE:]:
            take_in_history(
                copy.database,
                earlier.export,
                now=copy.clock.now(earlier.export.utility.timezone),
                who=copy.who,
                utility=copy.settings.utility.name,
            )
        yield copy


def compare_month(copy: Office, month: PastExport, refusal: str) -> ReplayedMonth:
    """Compare what a close came to in a rehearsal with what the office did."""
    period, told = month.export.period.id, month.told
    with copy.database.reading() as books:
        ours = [] if refusal else list(_outcomes(books, period))
        reasons = _reasons(books, period)
    alike, differences = Counter[OutcomeKind](), list[OutcomeDifference]()
    if not refusal:
        alike, differences = compare_outcomes(ours, told.outcomes, told.kinds, reasons)
    return ReplayedMonth(period, refusal, alike, tuple(differences), told.kinds, told.unread)


def _outcomes(books: Connection, period: str) -> Iterator[Outcome]:
    mails = sa.select(delivery.c.account, delivery.c.address).where(
        delivery.c.period == period, delivery.c.kind == MessageKind.BILL
    )
    for row in books.execute(mails):
        yield Outcome(OutcomeKind.MAIL, row.account, row.address)
    for account in books.scalars(sa.select(paper.c.account).where(paper.c.period == period)):
        yield Outcome(OutcomeKind.PAPER, account)
    payments = scheduled_payment.c
    for row in books.execute(
        sa.select(payments.account, payments.amount, payments.pay_on).where(
            payments.period == period
        )
    ):
        yield Outcome(OutcomeKind.DRAFT, row.account, amount=row.amount, day=row.pay_on)


def _reasons(books: Connection, period: str) -> Reasons:
    """Say why a bill is on paper here, and why nobody is drawn who is enrolled."""
    found = {
        (OutcomeKind.PAPER, account_key(account)): str(reason)
        for account, reason in books.execute(
            sa.select(paper.c.account, paper.c.reason).where(paper.c.period == period)
        ).tuples()
    }
    listed = autopay_unscheduled.c
    found |= {
        (OutcomeKind.DRAFT, account_key(account)): str(reason)
        for account, reason in books.execute(
            sa.select(listed.account, listed.reason).where(listed.period == period)
        ).tuples()
    }
    plan = planned_payment.c
    immediate = sa.select(plan.account_key).where(plan.period == period, plan.immediate)
    found |= {
        (OutcomeKind.DRAFT, key): "its day had come: drawn at once"
        for key in books.scalars(immediate)
    }
    return found
