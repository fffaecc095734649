"""Books with payments that were taken, and the other side of the counter."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from cash_receipting.sandbox_service import SandboxServer, open_sandbox
from database.books import Database
from database.postings import posting_key
from database.tables import gateway_payment, period_close, posting
from domain.accounts import account_key
from domain.failures import OutcomeUnknown, PermanentFailure
from domain.ledger import taken_key
from domain.money import Money
from domain.payments import MethodKind, PaymentState, PostingKind
from domain.runs import RunState
from tests.builders import DUE, RUN, post_payment, stage_run

NOW = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """A clock that stands still until somebody moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@contextmanager
def a_service(folder: Path, **options: Any) -> Iterator[SandboxServer]:
    """Serve the sandbox of a cash-receipting service while a test goes on."""
    server = open_sandbox(folder / "service.db", **options)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def always(chance: float):
    return lambda: chance


def payment_key(number: int) -> str:
    return f"autopay/{RUN}/{account_key(f'01.{number:04d}.1')}"


def receipt_key(number: int) -> str:
    return posting_key(PostingKind.RECEIPT, taken_key(f"{payment_key(number)}/1"))


def close_a_run(database: Database) -> None:
    stage_run(database, state=RunState.FINISHED)
    with database.writing() as books:
        books.execute(period_close.insert().values(period=RUN, closed_at=NOW, closed_by="anna"))


def take(database: Database, numbers: Sequence[int], cents: int = 80_00) -> None:
    """Record payments as taken and their receipts as pending, the first one first."""
    with database.writing() as books:
        for number in numbers:
            account = f"01.{number:04d}.1"
            books.execute(
                gateway_payment.insert().values(
                    key=payment_key(number), period=RUN, account_key=account_key(account),
                    account=account, pay_on=DUE, amount=Money(cents + number), method_token="tok",
                    method_kind=MethodKind.ACH, last4="1234", immediate=False,
                    state=PaymentState.SUCCEEDED, confirmation=f"SB{number:08d}",
                    scheduled_at=NOW, taken_at=NOW + timedelta(seconds=number),
                )
            )  # fmt: skip
            post_payment(books, payment_row(books, number), now=NOW)


def payment_row(books: Connection, number: int) -> Any:
    key = gateway_payment.c.key == payment_key(number)
    return books.execute(sa.select(gateway_payment).where(key)).one()


def rows(database: Database) -> dict[str, sa.Row]:
    with database.reading() as books:
        return {row.key: row for row in books.execute(sa.select(posting))}


def states(database: Database) -> list[str]:
    return [row.state.value for _, row in sorted(rows(database).items())]


@dataclass
class Counter:
    """
    A cash-receipting system that fails as a test tells it.

    `plan` says how the next postings go, in order: ok, down, refused, never (unknown, and not
    booked), lost (unknown, and booked), late (unknown, and booked when it is next asked anything).
    After the plan all is well. Booking twice is possible: whoever asks twice is seen.
    """

    plan: list[str] = field(default_factory=list)
    keeps_keys: bool = True
    longest_in_flight: timedelta = timedelta(minutes=5)
    is_down: bool = False
    name: str = "cash receipting"
    booked: list[PostingRequest] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    under_way: list[PostingRequest] = field(default_factory=list)

    def post(self, request: PostingRequest) -> Receipt | None:
        self.calls.append(f"post {request.key}")
        self._refuse_when_down()
        fault = self.plan.pop(0) if self.plan else "ok"
        if fault == "down":
            raise _down()
        if fault == "refused":
            raise _refused()
        if fault == "late":
            self.under_way.append(request)
        if fault in ("ok", "lost"):
            self._book(request)
        if fault == "ok":
            return self._receipt(request.key)
        raise _unknown()

    def find(self, request: PostingRequest) -> Receipt | None:
        self.calls.append(f"find {request.key}")
        self._refuse_when_down()
        return self._receipt(request.key)

    def arrive(self) -> None:
        """Let what is under way arrive."""
        for request in self.under_way:
            self._book(request)
        self.under_way.clear()

    def hand_over(self) -> None:
        pass

    def check_health(self) -> None:
        self.calls.append("health")
        self._refuse_when_down()

    def close(self) -> None:
        pass

    def booked_keys(self) -> list[str]:
        return sorted(request.key for request in self.booked)

    def _book(self, request: PostingRequest) -> None:
        if self.keeps_keys and any(one.key == request.key for one in self.booked):
            return
        self.booked.append(request)

    def _receipt(self, key: str) -> Receipt | None:
        for number, request in enumerate(self.booked, start=1):
            if request.key == key:
                return Receipt(f"R{number}", key, request.account, request.amount)
        return None

    def _refuse_when_down(self) -> None:
        if self.is_down:
            raise _down()


def _down() -> ServiceDown:
    return ServiceDown("cash receipting cannot be reached")


def _refused() -> PermanentFailure:
    return PermanentFailure("no such account")


def _unknown() -> OutcomeUnknown:
    return OutcomeUnknown("cash receipting gave no answer")
