"""What an undo would take back, what it cannot, and what will be done about that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.corrections import correction, period_undo
from database.queries.outsorted import is_outsorted
from database.queries.periods import require_period
from database.tables import (
    account,
    approval_decision,
    approval_request,
    balance_due,
    bill,
    bill_run,
    delivery,
    draw,
    gateway_payment,
    paper,
    period_close,
    posting,
    print_batch,
)
from domain.accounts import AccountStatus
from domain.deliveries import MessageKind
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import DrawState, PaymentKind, PaymentState
from domain.words import say_code, say_count
from mail.outbox.queueing import MAY_HAVE_LEFT, surely_not_left
from rules.undoing import last_day_to_undo

OF_A_BILL = (
    MessageKind.BILL,
    MessageKind.PAYMENT_DUE,
    MessageKind.PAST_DUE,
    MessageKind.AUTOPAY_SCHEDULED,
)  # what is not true any more; a receipt and a failure are, whatever becomes of the close
_QUESTION, _LONGEST = "undo ", 40  # how the question of an undo is called, and its most letters
_MAY_HAVE_HAPPENED = (DrawState.ASKED, DrawState.APPROVED)
_PAYMENT, _MAIL = gateway_payment.c, delivery.c


@dataclass(frozen=True, slots=True)
class StandingDraw:
    """A payment of the period that was drawn or is on its way: it stays."""

    account: str
    amount: Money
    state: PaymentState
    confirmation: str


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """
    What an undo of a close would do; `last_day` is a local date.

    `mails` and `mails_out` count by kind what would be taken out of the outbox and what has left
    or may have. `print_files` lie where the close wrote them; `fetched`: those that do not any
    more, or of which a person says so.
    """

    period: str
    number: int
    closed_at: datetime
    closed_by: str
    last_day: date
    bills: int
    balances: int
    amount: Money
    payments: int
    payments_amount: Money
    draws: tuple[StandingDraw, ...]
    mails: dict[str, int]
    mails_out: dict[str, int]
    print_files: tuple[str, ...]
    fetched: tuple[str, ...]
    paper_bills: int
    corrections: int
    postings: int  # of the draws, in cash receipting
    posted: Money

    @property
    def drawn(self) -> Money:
        return sum((one.amount for one in self.draws), ZERO)

    @property
    def key(self) -> str:
        """Name the question of this undo, among those of closes, whose periods have no blank."""
        return f"{_QUESTION}{self.period}"[:_LONGEST]

    @property
    def digest(self) -> str:
        """Name this very close, so that a yes is to no other one of the period."""
        return f"{self.number} {self.closed_at.isoformat()}"


class UndoRefused(Refused):
    """An undo that comes too late; `plan` is what it would have been about: all of it stands."""

    def __init__(self, code: str, message: str, plan: UndoPlan) -> None:
        super().__init__(code, message)
        self.plan = plan

    @property
    def told(self) -> dict[str, Any]:
        """What programs read beside code and sentence."""
        return {"stands": _standing_figures(self.plan), "said": say_what_is_done_instead(self.plan)}

    def __reduce__(self) -> tuple[type[UndoRefused], tuple[str, str, UndoPlan]]:  # type: ignore[override]
        return type(self), (self.code, self.message, self.plan)


@dataclass(frozen=True, slots=True)
class UndoBoundary:
    """Until when a close can be taken back: so many days, by this local day's date."""

    days: int
    today: date


def look_at_undo(
    books: Connection, period: str, boundary: UndoBoundary, is_fetched: Callable[[str], bool]
) -> UndoPlan:
    """
    Return what an undo of a period would take back, and what stands.

    `is_fetched` tells of a print file whether somebody has it. Raises Misuse for an unknown
    period; Refused where it is not closed; and UndoRefused, with what stands, where too many
    days have passed, and where a later close of one of its accounts stands: its balance has moved
    on.
    """
    run = require_period(books, period)
    close = books.execute(
        sa.select(period_close).where(period_close.c.period == period)
    ).one_or_none()
    if close is None:
        raise Refused("period-open", f"Period {period} is not closed; nothing is to be undone.")
    closed_on = close.closed_at.astimezone(ZoneInfo(run.timezone)).date()
    last_day = last_day_to_undo(closed_on, boundary.days)
    files = tuple(books.scalars(_files(period)))
    shown = sa.and_(bill.c.period == period, ~is_outsorted(bill.c.period, bill.c.account_key))
    payments, amount = books.execute(_waiting_payments(period)).one()
    balances, due = books.execute(_balances(period)).one()
    postings, posted = books.execute(_posted(period)).one()
    plan = UndoPlan(
        period=period,
        number=next_undo(books, period),
        closed_at=close.closed_at,
        closed_by=close.closed_by,
        last_day=last_day,
        bills=_count(books, bill, shown),
        balances=balances,
        amount=due or ZERO,
        payments=payments,
        payments_amount=amount or ZERO,
        draws=_draws(books, period),
        mails=_mails(books, period, *surely_not_left()),
        mails_out=_mails(books, period, _MAIL.status.in_(MAY_HAVE_LEFT)),
        print_files=files,
        fetched=tuple(file for file in files if is_fetched(file)),
        paper_bills=_count(books, paper, paper.c.period == period),
        corrections=_count(
            books, correction, correction.c.period == period, correction.c.undone.is_(None)
        ),
        postings=postings,
        posted=posted or ZERO,
    )
    _require_in_time(books, plan, run.ends_on, boundary, closed_on)
    return plan


def waiting_undos(books: Connection) -> list[str]:
    """Return the periods whose close somebody wants taken back, and which needs another yes."""
    asked, said, close = approval_request.c, approval_decision.c, period_close.c
    question = sa.func.substr(sa.literal(_QUESTION) + close.period, 1, _LONGEST)
    has_yes = sa.exists().where(said.period == asked.period, said.request == asked.number)
    query = (
        sa.select(close.period, close.closed_at, asked.digest)
        .join(approval_request, asked.period == question)
        .where(has_yes)
        .order_by(close.period)
    )
    rows = books.execute(query).all()
    return [row.period for row in rows if row.digest.endswith(f" {row.closed_at.isoformat()}")]


def next_undo(books: Connection, period: str) -> int:
    """Return the number that the next undo of a period has."""
    last = sa.select(sa.func.max(period_undo.c.number)).where(period_undo.c.period == period)
    return (books.scalar(last) or 0) + 1


def not_asked(period: str) -> sa.ColumnElement[bool]:
    """Claim that an autopay payment of a period waits and that surely nothing was drawn for it."""
    may_have = sa.exists().where(
        draw.c.payment_key == _PAYMENT.key, draw.c.state.in_(_MAY_HAVE_HAPPENED)
    )
    return sa.and_(
        _PAYMENT.period == period,
        _PAYMENT.kind == PaymentKind.AUTOPAY,
        _PAYMENT.state == PaymentState.SCHEDULED,
        ~may_have,
    )


def _require_in_time(
    books: Connection, plan: UndoPlan, ends_on: date, boundary: UndoBoundary, closed_on: date
) -> None:
    """Of accounts in common: a forgotten older period that was closed later moved no balance."""
    if boundary.today > plan.last_day:
        raise UndoRefused(
            "undo-too-late",
            f"Period {plan.period} was closed on {closed_on} and could be taken back until "
            f"{plan.last_day} (undo.days = {boundary.days}). Correct single bills with `billclose "
            "correct`. Nothing was changed.",
            plan,
        )
    later = _later_close(books, plan.period, ends_on)
    if later is not None:
        raise UndoRefused(
            "later-close",
            f"Period {later.period} is closed since, with account {later.account} and others of "
            f"{plan.period}: its balances have moved on. Take {later.period} back first, or "
            "correct single bills with `billclose correct`. Nothing was changed.",
            plan,
        )


def _later_close(books: Connection, period: str, ends_on: date) -> Any:
    mine, theirs = account.alias("mine"), account.alias("theirs")
    query = (
        sa.select(bill_run.c.period, mine.c.account)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .join(theirs, theirs.c.period == bill_run.c.period)
        .join(mine, sa.and_(mine.c.period == period, mine.c.account_key == theirs.c.account_key))
        .where(
            bill_run.c.period != period,
            bill_run.c.ends_on > ends_on,
            theirs.c.status != AccountStatus.CLOSED,
            mine.c.status != AccountStatus.CLOSED,
        )
        .order_by(bill_run.c.ends_on.desc(), mine.c.account_key)
        .limit(1)
    )
    return books.execute(query).one_or_none()


def _files(period: str) -> sa.Select[Any]:
    rows = print_batch.c
    return sa.select(rows.file).where(rows.period == period).order_by(rows.part, rows.bulk)


def _waiting_payments(period: str) -> sa.Select[Any]:
    total = sa.func.sum(_PAYMENT.amount, type_=_PAYMENT.amount.type)
    return sa.select(sa.func.count(), total).where(not_asked(period))


def _posted(period: str) -> sa.Select[Any]:
    """Count what cash receipting has of the period's payments, or may have."""
    row = posting.c
    total = sa.func.sum(row.amount, type_=row.amount.type)
    return (
        sa.select(sa.func.count(), total)
        .join(gateway_payment, _PAYMENT.key == row.payment_key)
        .where(_PAYMENT.period == period, row.first_asked_at.is_not(None))
    )


def _balances(period: str) -> sa.Select[Any]:
    amount = balance_due.c.amount_due
    return sa.select(sa.func.count(), sa.func.sum(amount, type_=amount.type)).where(
        balance_due.c.period == period
    )


def _count(books: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return int(books.execute(query).scalar_one())


def _draws(books: Connection, period: str) -> tuple[StandingDraw, ...]:
    query = (
        sa.select(
            _PAYMENT.account,
            draw.c.amount,
            _PAYMENT.state,
            sa.func.coalesce(draw.c.reference, _PAYMENT.confirmation, ""),
        )
        .join(draw, draw.c.payment_key == _PAYMENT.key)
        .where(_PAYMENT.period == period, draw.c.state.in_(_MAY_HAVE_HAPPENED))
        .order_by(_PAYMENT.account_key, draw.c.key)
    )
    return tuple(StandingDraw(*row) for row in books.execute(query))


def _mails(books: Connection, period: str, *conditions: sa.ColumnElement[bool]) -> dict[str, int]:
    query = sa.select(_MAIL.kind).where(
        _MAIL.period == period, _MAIL.kind.in_(OF_A_BILL), *conditions
    )
    return {str(kind): number for kind, number in sorted(Counter(books.scalars(query)).items())}


def say_taken_back(plan: UndoPlan) -> list[str]:
    """Say what an undo takes back, a line each."""
    told = [
        f"{say_count(plan.bills, 'bill')} {'is' if plan.bills == 1 else 'are'} not shown any more; "
        f"{say_count(plan.balances, 'balance')} {'goes' if plan.balances == 1 else 'go'} back, "
        f"{plan.amount.dollars()} of them due",
    ]
    if plan.payments:
        told.append(
            f"{say_count(plan.payments, 'scheduled payment')} cancelled, "
            f"{plan.payments_amount.dollars()}"
        )
    if waiting := sum(plan.mails.values()):
        told.append(f"{say_count(waiting, 'mail')} taken out of the outbox{_by_kind(plan.mails)}")
    left = [file for file in plan.print_files if file not in plan.fetched]
    if left:
        told.append(f"print batches removed: {', '.join(left)}")
    if plan.corrections:
        many = plan.corrections != 1
        with_it = "go with their bills" if many else "goes with its bill"
        told.append(f"{say_count(plan.corrections, 'correction')} {with_it}")
    return told


def say_what_stands(plan: UndoPlan) -> list[str]:
    """Say what cannot be taken back and what is done about each, a line each."""
    told = []
    if plan.draws:
        stay = (
            "they stay with their customers' accounts and count as paid"
            if len(plan.draws) > 1
            else "it stays with its customer's account and counts as paid"
        )
        told.append(
            f"{say_count(len(plan.draws), 'draw')}, {plan.drawn.dollars()}: {stay} when the period "
            "is closed again; nothing is drawn a second time. `billclose refund CONFIRMATION` "
            "gives one back"
        )
    if plan.mails_out:
        told.append(
            f"{say_count(sum(plan.mails_out.values()), 'mail')} that left or may have left"
            + _by_kind(plan.mails_out)
            + ": the next close mails a corrected bill to whoever had one that it changes"
        )
    if plan.fetched:
        told.append(
            f"print batches that somebody has: {', '.join(plan.fetched)}; ask that they are not "
            "posted. The next close prints all paper bills anew"
        )
    elif plan.print_files:
        told.append(
            "whoever has copied a print batch already has to be told: say with the yes where the "
            "printer has it"
        )
    return told


def say_what_is_done_instead(plan: UndoPlan) -> list[str]:
    """Say of a close that stays what cannot be taken back, and what is done about each instead."""
    correct = f"`billclose correct ACCOUNT --period {plan.period} --bundle FOLDER`"
    told = [
        f"{say_count(plan.bills, 'bill')} {'shows' if plan.bills == 1 else 'show'}, "
        f"{plan.amount.dollars()} due on {say_count(plan.balances, 'balance')}: {correct} replaces "
        "one bill at a time, with its balance and its payment"
    ]
    if plan.payments:
        told.append(
            f"{say_count(plan.payments, 'payment')} not drawn yet, "
            f"{plan.payments_amount.dollars()}: a correction draws the new amount instead, or "
            "nothing"
        )
    if plan.draws:
        told.append(
            f"{say_count(len(plan.draws), 'payment')} drawn, {plan.drawn.dollars()}: a correction "
            "counts what was drawn; `billclose refund CONFIRMATION` gives one back"
        )
    if plan.postings:
        told.append(
            f"{say_count(plan.postings, 'posting')} in cash receipting, {plan.posted.dollars()}: "
            "a refund is posted there as well"
        )
    told += _say_told_already(plan)
    return told


def _say_told_already(plan: UndoPlan) -> list[str]:
    told = []
    if plan.mails_out:
        told.append(
            f"{say_count(sum(plan.mails_out.values()), 'mail')} that left or may have left"
            + _by_kind(plan.mails_out)
            + ": a correction mails a bill that is marked as corrected and says what changed"
        )
    if plan.paper_bills:
        given = f", given out: {', '.join(plan.fetched)}" if plan.fetched else ""
        told.append(
            f"{say_count(plan.paper_bills, 'bill')} on paper{given}: a correction of one goes on "
            "paper too, with the next `billclose print`"
        )
    return told


def _by_kind(mails: dict[str, int]) -> str:
    told = ", ".join(f"{number:,} {say_code(kind)}" for kind, number in mails.items())
    return f" ({told})" if mails else ""


def to_figures(plan: UndoPlan) -> dict[str, Any]:
    """Return a plan as JSON takes it; amounts as decimal text, moments and dates ISO."""
    return {
        "period": plan.period,
        "closed_at": plan.closed_at.isoformat(),
        "closed_by": plan.closed_by,
        "last_day": plan.last_day.isoformat(),
        "taken_back": {
            "bills": plan.bills,
            "balances": plan.balances,
            "amount": str(plan.amount),
            "payments": plan.payments,
            "payments_amount": str(plan.payments_amount),
            "mails": plan.mails,
            "print_files": [file for file in plan.print_files if file not in plan.fetched],
            "corrections": plan.corrections,
        },
        "stands": _standing_figures(plan),
        "said": [*say_taken_back(plan), *say_what_stands(plan)],
    }


def _standing_figures(plan: UndoPlan) -> dict[str, Any]:
    return {
        "draws": [
            asdict(one) | {"amount": str(one.amount), "state": one.state.value}
            for one in plan.draws
        ],
        "draws_amount": str(plan.drawn),
        "postings": plan.postings,
        "postings_amount": str(plan.posted),
        "mails": plan.mails_out,
        "paper_bills": plan.paper_bills,
        "print_files": list(plan.fetched),
    }
