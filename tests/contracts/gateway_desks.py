"""One desk for every payment gateway: the same moves, whoever is on the other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from domain.money import Money
from domain.payments import Advice, MethodKind
from payments.port import DrawRequest, LateEvent, PaymentGateway, Settlement
from payments.sandbox.behavior import GatewayFault
from payments.sandbox.gateway import SandboxGateway

START = datetime.fromisoformat("2026-11-04T15:00:00+00:00")  # a Wednesday morning in New York
LONG_AGO = date(2020, 1, 1)
TAKEN = "SELECT COALESCE(SUM(cents - refunded), 0) FROM draw WHERE state = 'approved'"


class Desk(Protocol):
    """A gateway, what its tokens are called, and what the network and time do to it."""

    gateway: PaymentGateway
    good: str
    poor: str  # declined for want of money
    clawed_back: str  # approved, and a late event says that the money went back
    wanting: str  # wants its customer's yes on a page of the bank
    decline: tuple[str, Advice]  # what the poor one comes to
    unknown_reference: str
    unknown_token: str

    def answer_bank(self, page: str, *, yes: bool) -> None:
        """Do what a customer does on the bank's page."""

    def lose(self, call: str, *faults: str) -> None:
        """Let the next calls of a kind fail: before, never, lost."""

    def taken(self) -> int:
        """Return the cents that the other side has drawn and not given back."""

    def days_later(self) -> None:
        """Let so much time pass that everything late has come and everything is paid out."""

    def events(self) -> Sequence[LateEvent]: ...

    def paid_out(self) -> Sequence[Settlement]: ...


def a_draw(desk: Desk, key: str = "autopay/2026-10/0110371/1", **changes) -> DrawRequest:
    facts = {
        "key": key,
        "account": "0110371",
        "method_token": desk.good,
        "method_kind": MethodKind.CARD,
        "amount": Money(43_21),
    }
    return DrawRequest(**{**facts, **changes})


@dataclass
class ScriptedFaults:
    """Faults in the order in which a test wants them, by the name of the call."""

    planned: dict[str, list[GatewayFault]] = field(default_factory=dict)
    late_by: timedelta = timedelta(seconds=90)

    def strike(self, call: str) -> GatewayFault | None:
        waiting = self.planned.get(call)
        return waiting.pop(0) if waiting else None

    def delay(self) -> timedelta:
        return self.late_by


class SandboxDesk:
    good, poor, clawed_back = "tok_ok", "tok_insufficient_funds", "tok_chargeback_d5"
    wanting = "tok_bank_asks"
    decline = ("insufficient_funds", Advice.LATER)
    unknown_reference, unknown_token = "SB00009999", "tok_5529_1170"

    def __init__(self, place) -> None:
        self.faults = ScriptedFaults()
        self.gateway = SandboxGateway(place / "gateway.db", lambda: START, faults=self.faults)

    def answer_bank(self, page: str, *, yes: bool) -> None:
        self.gateway.answer_bank(page.rpartition("/")[2], yes)

    def lose(self, call: str, *faults: str) -> None:
        self.faults.planned[call] = [GatewayFault(fault) for fault in faults]

    def taken(self) -> int:
        with self.gateway._store.writing() as books:
            return books.execute(TAKEN).fetchone()[0]

    def days_later(self) -> None:
        self.gateway.move_clock(timedelta(days=20))

    def events(self) -> Sequence[LateEvent]:
        return list(self.gateway.late_events(START - timedelta(days=1)))

    def paid_out(self) -> Sequence[Settlement]:
        return list(self.gateway.settlements(LONG_AGO))
