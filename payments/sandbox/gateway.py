"""The embedded payment gateway: a sandbox with the manners of a real one, for trials and tests."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from payments.port import (
    DrawAnswer,
    DrawRequest,
    DrawResult,
    GatewayMisuse,
    LateEvent,
    LateEventKind,
    Refunded,
    Settlement,
)
from payments.sandbox import bank_pages
from payments.sandbox.bank_pages import BankPage, page_of_draw, to_awaiting
from payments.sandbox.behavior import GatewayFault, GatewayFaults, NoFaults, behavior_of, method_of
from payments.sandbox.drawing import (
    BROKEN,
    DecidedDraw,
    end_work,
    find_draw,
    land,
    land_arrivals,
    send_late,
    take_into_work,
    to_result,
)
from payments.sandbox.events import happen, read_events
from payments.sandbox.refunds import refund_draw
from payments.sandbox.settlements import read_settlements, to_number, to_reference
from payments.sandbox.store import (
    KEY_WINDOW,
    SandboxStore,
    of_request,
    use,
    used,
)


def prepare_draw(books: sqlite3.Connection, request: DrawRequest, now: datetime) -> int:
    """Write a draw down and return its number, the same again while its key is kept."""
    if request.amount.cents <= 0:
        raise GatewayMisuse(f"A draw of {request.amount} was asked for; nothing was done.")
    fingerprint = of_request(request)
    kept = used(books, "prepare", request.key, fingerprint, now)
    if kept is not None:
        return int(kept["draw"])
    number = books.execute(
        "INSERT INTO draw (key, fingerprint, account, method, kind, cents, state)"
        " VALUES (?, ?, ?, ?, ?, ?, 'prepared')",
        (
            request.key,
            fingerprint,
            request.account,
            method_of(request.method_token),
            request.method_kind,
            request.amount.cents,
        ),
    ).lastrowid
    use(books, "prepare", request.key, fingerprint, now, number or 0)
    return number or 0


def announced(books: sqlite3.Connection, reference: str, request: DrawRequest) -> sqlite3.Row:
    """Return the draw that was prepared; raises GatewayMisuse where it was not, or otherwise."""
    draw = _numbered(books, reference)
    if draw is None or draw["fingerprint"] != of_request(request) or draw["key"] != request.key:
        raise GatewayMisuse(
            f"The draw {request.key} was not prepared like this as {reference}; nothing was done."
        )
    return draw


def taken(books: sqlite3.Connection, reference: str) -> sqlite3.Row:
    """Return a draw; raises PermanentFailure where the gateway has none of that number."""
    draw = _numbered(books, reference)
    if draw is None:
        raise PermanentFailure(f"The payment gateway knows no payment {reference}.")
    return draw


def find(
    books: sqlite3.Connection,
    request: DrawRequest,
    reference: str | None,
    now: datetime,
    closed: Container[date] = (),
) -> DrawResult:
    """
    Say what became of a draw under its key; of several, the one that took money.

    One that awaits its customer is given up where the request says of no way back. Raises
    GatewayMisuse where the reference is that of another draw.
    """
    draw = _numbered(books, reference) if reference else None
    if draw is not None and draw["key"] != request.key:
        raise GatewayMisuse(f"The payment {reference} is not that of the draw {request.key}.")
    if draw is None or draw["state"] != "approved":
        draw = find_draw(books, request.key)
    if draw is None:
        return DrawResult(DrawAnswer.NOT_FOUND)
    page = page_of_draw(books, draw)
    if page is None:
        return to_result(draw)
    if request.returns_to:
        return to_awaiting(draw, page)
    return to_result(land(books, draw, now, closed).draw)


def _numbered(books: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = books.execute(
        "SELECT * FROM draw WHERE id = ?", (to_number(reference),)
    ).fetchone()
    return row


AWAY = "The payment gateway did not take the request."
SILENT = "The payment gateway did not answer."


class SandboxGateway:
    """
    Draws nobody's money, and keeps what it did in a database of its own.

    Tokens say what happens to a draw (payments/sandbox_tokens.py). It goes by its own clock:
    `wall` gives the moment in UTC until `set_clock` stops it. Keys are kept for 24 hours of that
    clock; asked again after that, it draws again. `closed` are the days on which no bank works.
    `faults` lose calls and answers; `latency` is how many seconds a draw is in work.

    A failed prepare or lookup has moved no money: a prepare that was not answered is a
    TemporaryFailure, a lookup that was not answered an OutcomeUnknown, as the draw's is.
    """

    name = "sandbox"
    key_window = KEY_WINDOW

    def __init__(
        self,
        path: Path,
        wall: Callable[[], datetime],
        closed: Container[date] = (),
        faults: GatewayFaults | None = None,
        latency: float = 0.0,
    ) -> None:
        self._store = SandboxStore(path, wall)
        self._closed = closed
        self._faults = faults or NoFaults()
        self._latency = latency

    def prepare(self, request: DrawRequest) -> str:
        try:
            with self._asked("prepare") as (books, now):
                return to_reference(prepare_draw(books, request, now))
        except OutcomeUnknown as failure:
            raise TemporaryFailure(str(failure)) from None

    def confirm(self, reference: str, request: DrawRequest) -> DrawResult:
        fault = self._faults.strike("confirm")
        if fault is GatewayFault.BEFORE:
            raise TemporaryFailure(AWAY)
        behavior = behavior_of(request.method_token)
        with self._open() as (books, now):
            draw = announced(books, reference, request)
            is_new = used(books, "confirm", draw["key"], draw["fingerprint"], now) is None
            fault = fault or behavior.fault(is_new)
            if fault is GatewayFault.LATE:
                send_late(books, draw, now, behavior.delay or self._faults.delay())
            landed, arrives = None, fault in (None, GatewayFault.LOST)
            page = None
            if arrives and is_new and behavior.asks_customer and request.returns_to:
                page, arrives = bank_pages.open_page(books, draw, request.returns_to), False
            takes_time = arrives and is_new and self._latency > 0
            if takes_time:
                take_into_work(books, draw, now)
            elif arrives:
                landed = land(books, draw, now, self._closed)
        if page is not None and fault is None:
            return to_awaiting(draw, page)
        if takes_time:
            landed = self._work(draw)
        if landed is None or landed.answer == BROKEN or fault is GatewayFault.LOST:
            raise OutcomeUnknown(SILENT)
        return to_result(landed.draw)

    def lookup(self, request: DrawRequest, reference: str | None) -> DrawResult:
        try:
            with self._asked("lookup") as (books, now):
                return find(books, request, reference, now, self._closed)
        except TemporaryFailure as failure:
            raise OutcomeUnknown(str(failure)) from None

    def refund(self, reference: str, amount: Money, key: str) -> Refunded:
        with self._asked("refund") as (books, now):
            return refund_draw(books, taken(books, reference), amount, key, now, self._closed)

    def settlements(self, since: date) -> Iterator[Settlement]:
        with self._read("settlements") as (books, now):
            paid_out = list(read_settlements(books, since, now))
        yield from paid_out

    def late_events(self, since: datetime) -> Iterator[LateEvent]:
        with self._read("late_events") as (books, now):
            events = list(read_events(books, since, now))
        yield from events

    def act_at_desk(
        self, reference: str, kind: LateEventKind, amount: Money, code: str = ""
    ) -> str:
        """
        Let somebody at the gateway's own desk, or a bank, move money of a draw; return its number.

        A refund by hand, a dispute of a part, one that was won: what the office hears of only
        afterwards. Raises PermanentFailure where the gateway has no such payment.
        """
        with self._open() as (books, now):
            draw = taken(books, reference)
            number = happen(books, draw, kind, amount.cents, now, self._closed, code)
        return f"SBE{number:08d}"

    def bank_page(self, key: str) -> BankPage | None:
        """Return a page on which a customer answers the bank; None: there is none of that key."""
        with self._open() as (books, _):
            row = bank_pages.find_page(books, key)
        if row is None:
            return None
        is_open = row["state"] == "prepared" and not row["answer"]
        return BankPage(row["returns_to"], Money(row["cents"]), is_open)

    def answer_bank(self, key: str, says_yes: bool) -> None:
        """
        Let a customer say yes or no to the bank; what was said or given up before stays.

        The draw lands by it, whether or not the browser comes back to us.
        """
        with self._open() as (books, now):
            row = bank_pages.find_page(books, key)
            if row is None or row["answer"] or row["state"] != "prepared":
                return
            draw = taken(books, to_reference(row["draw"]))
            bank_pages.answer_page(books, draw, "yes" if says_yes else "no")
            land(books, draw, now, self._closed)

    def set_clock(self, moment: datetime | None) -> None:
        """Stop the gateway's clock at a moment; None lets it follow the wall again."""
        self._store.set_clock(moment)

    def move_clock(self, by: timedelta) -> None:
        """Stop the gateway's clock so much later than it stands or goes now."""
        self._store.move_clock(by)

    def close(self) -> None:
        self._store.close()

    def _work(self, draw: sqlite3.Row) -> DecidedDraw:
        """Take the time that a draw takes; a caller who is killed meanwhile has drawn anyway."""
        time.sleep(self._latency)
        with self._open() as (books, now):
            end_work(books, draw)
            return land(books, draw, now, self._closed)

    @contextmanager
    def _open(self) -> Iterator[tuple[sqlite3.Connection, datetime]]:
        with self._store.writing() as books:
            now = self._store.now(books)
            land_arrivals(books, now, self._closed)
            yield books, now

    @contextmanager
    def _asked(self, call: str) -> Iterator[tuple[sqlite3.Connection, datetime]]:
        """Reach the gateway, or fail as the fault of this call has it."""
        fault = self._faults.strike(call)
        if fault is GatewayFault.BEFORE:
            raise TemporaryFailure(AWAY)
        if fault in (GatewayFault.NEVER, GatewayFault.LATE):
            raise OutcomeUnknown(SILENT)
        with self._open() as opened:
            yield opened
        if fault is GatewayFault.LOST:
            raise OutcomeUnknown(SILENT)

    @contextmanager
    def _read(self, call: str) -> Iterator[tuple[sqlite3.Connection, datetime]]:
        try:
            with self._asked(call) as opened:
                yield opened
        except OutcomeUnknown as failure:
            raise TemporaryFailure(str(failure)) from None
