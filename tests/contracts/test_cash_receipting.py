"""What every cash-receipting system keeps to: the ledger, the web service, the import files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from cash_receipting.import_files.file_drop import FileDropReceipting
from cash_receipting.import_files.layout import Layout
from cash_receipting.ledger import LedgerReceipting
from cash_receipting.port import CashReceipting, PostingRequest, Receipt
from cash_receipting.rest import RestReceipting
from domain.failures import PermanentFailure
from domain.money import Money
from domain.payments import MethodKind, PostingKind
from tests.cash_receipting.builders import a_service

KEY = "receipt/autopay/2026-10/0110371"


def a_request(**changes) -> PostingRequest:
    facts = {
        "key": KEY,
        "kind": PostingKind.RECEIPT,
        "account": "01.1037.1",
        "amount": Money(80_05),
        "method_kind": MethodKind.ACH,
        "confirmation": "SB00000007",
        "taken_on": date(2026, 11, 13),
    }
    return PostingRequest(**{**facts, **changes})


@dataclass
class Counter:
    """A system and its clerk: whoever works up what lies there until the receipts are known."""

    system: CashReceipting
    work: Callable[[], None] = lambda: None

    def enter(self, request: PostingRequest) -> Receipt:
        receipt = self.system.post(request)
        self.system.hand_over()
        self.work()
        return receipt or self.system.find(request)


@pytest.fixture(params=["ledger", "rest", "file"])
def counter(request, tmp_path) -> Iterator[Counter]:
    with ExitStack() as opened:
        if request.param == "ledger":
            chosen = Counter(LedgerReceipting(tmp_path / "ledger.db"))
        elif request.param == "rest":
            server = opened.enter_context(a_service(tmp_path, token="secret"))
            chosen = Counter(RestReceipting(server.url, SecretStr("secret")))
        else:
            system = FileDropReceipting(tmp_path / "drop", tmp_path / "tray.db", Layout())
            chosen = Counter(system, lambda: accept_files(tmp_path / "drop"))
        opened.callback(chosen.system.close)
        yield chosen


def accept_files(folder) -> None:
    """Book every line of the files that are whole, and answer with receipts."""
    for manifest in folder.glob("*.manifest.json"):
        file = folder / manifest.name.removesuffix(".manifest.json")
        with file.open(newline="") as lines:
            taken = list(csv.DictReader(lines))
        answers = [f"{row['key']},accepted,F-{row['confirmation']},\n" for row in taken]
        answer = folder / f"{file.stem}.ack.csv"
        answer.write_text("key,status,receipt,reason\n" + "".join(answers))
        manifest.unlink()
        file.unlink()


def test_a_posting_gets_a_receipt_that_says_what_was_entered(counter):
    receipt = counter.enter(a_request())

    assert receipt.number
    assert (KEY, "01.1037.1", Money(80_05)) == (receipt.key, receipt.account, receipt.amount)


def test_what_was_entered_is_found_by_its_key_and_nothing_else_is(counter):
    receipt = counter.enter(a_request())

    assert receipt == counter.system.find(a_request())
    assert counter.system.find(a_request(key="receipt/autopay/2026-10/0110372")) is None


def test_the_same_key_is_entered_once(counter):
    assert counter.system.keeps_keys
    first = counter.enter(a_request())

    assert first == counter.enter(a_request())
    assert counter.enter(a_request(key=KEY + "0")).number != first.number or (
        isinstance(counter.system, FileDropReceipting)
    )


def test_a_payment_that_went_back_is_taken_out_again(counter):
    receipt = counter.enter(a_request())

    reversal = counter.enter(
        a_request(
            key=KEY.replace("receipt", "reversal"),
            kind=PostingKind.REVERSAL,
            reverses=receipt.number,
            confirmation="SB00000008",
        )
    )

    assert reversal.number != receipt.number


def test_what_was_won_back_may_be_taken_back_again_and_never_more(counter):
    """A dispute that was won is a receipt of the same confirmation; another dispute may follow."""
    receipt = counter.enter(a_request())
    again = a_request()
    back = {"kind": PostingKind.REVERSAL, "reverses": receipt.number}
    counter.enter(a_request(key="reversal/dispute/1", **back))
    counter.enter(a_request(key="receipt/reinstated/1"))

    second = counter.enter(a_request(key="reversal/dispute/2", **back))

    assert (again.account, again.amount) == (second.account, second.amount)
    if isinstance(counter.system, LedgerReceipting):
        with pytest.raises(PermanentFailure, match="of that amount"):
            counter.enter(a_request(key="reversal/dispute/3", **back))


def test_one_amount_is_never_taken_for_another(counter):
    counter.enter(a_request())

    other = replace(a_request(), amount=Money(1))
    try:
        receipt = counter.enter(other)
    except PermanentFailure:
        receipt = None

    assert receipt is None or receipt.amount == Money(80_05)
    assert Money(80_05) == counter.system.find(a_request()).amount


def test_health_costs_nothing_and_is_well(counter):
    counter.system.check_health()

    assert counter.system.find(a_request()) is None


def test_it_says_how_long_a_posting_may_be_under_way(counter):
    assert timedelta(0) <= counter.system.longest_in_flight <= timedelta(hours=1)
    assert counter.system.name == "cash receipting"
