"""What must be true in the end, whatever happened: the books of all three are held together."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from database.books import Database
from database.ledger.entries import outstanding_sums
from database.ledger.tables import balance_entry, payment_event
from database.postings import posting_key
from database.tables import (
    balance_due,
    draw,
    gateway_payment,
    posting,
    refund_request,
    settlement,
    settlement_item,
)
from domain.ledger import taken_key
from domain.money import ZERO
from domain.payments import DrawState, PaymentState, PostingKind, PostingState

MONEY = (balance_due, balance_entry, draw, gateway_payment, payment_event, posting, refund_request)
FINAL = {
    PaymentState.SUCCEEDED,
    PaymentState.DECLINED,
    PaymentState.RETURNED,
    PaymentState.CANCELLED,
}


@dataclass(frozen=True)
class Entry:
    """One entry of cash receipting."""

    key: str
    account: str
    cents: int
    confirmation: str


@dataclass(frozen=True)
class Audit:
    """The three books that are compared: ours, the gateway's, cash receipting's."""

    books: Database
    gateway_file: Path
    entries: Sequence[Entry]

    def find_faults(self) -> list[str]:
        """Say everything that is wrong; an empty list is a clean audit."""
        return [*_draws(self), *_ends(self), *_entries(self), *_balances(self), *_paid_out(self)]


def gateway_rows(file: Path, statement: str) -> list[sqlite3.Row]:
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def ledger_entries(file: Path) -> list[Entry]:
    rows = gateway_rows(
        file, "SELECT key, account, cents, confirmation FROM receipt ORDER BY number"
    )
    return [Entry(*row) for row in rows]


def what_is_written(books: Database) -> list[str]:
    """Give what the books say of money, row by row and in one order, to be held to another's."""
    rows = []
    with books.reading() as reading:
        for table in MONEY:
            found = reading.execute(sa.select(*(table.c[name] for name in sorted(table.c.keys()))))
            rows += sorted(f"{table.name} {row}" for row in found)
    return rows


def payments_of(books: Database) -> dict[str, sa.Row]:
    with books.reading() as reading:
        return {row.key: row for row in reading.execute(sa.select(gateway_payment))}


def _draws(audit: Audit) -> Iterator[str]:
    """Each payment took money once or never, and the books say the same of each."""
    drawn: dict[str, list[sqlite3.Row]] = {}
    for row in gateway_rows(audit.gateway_file, "SELECT * FROM draw WHERE state = 'approved'"):
        drawn.setdefault(row["key"].rpartition("/")[0], []).append(row)
    for key, payment in payments_of(audit.books).items():
        taken = drawn.pop(key, [])
        is_taken = payment.state in (PaymentState.SUCCEEDED, PaymentState.RETURNED)
        if len(taken) > 1:
            yield f"drawn twice: {key}"
        elif taken and not is_taken:
            yield f"money lost: {key} is {payment.state}, and the gateway drew"
        elif is_taken and not taken:
            yield f"money made up: {key} is {payment.state}, and the gateway drew nothing"
        elif taken and (payment.amount.cents, payment.confirmation) != (
            taken[0]["cents"],
            f"SB{taken[0]['id']:08d}",
        ):
            yield f"amount or confirmation differs: {key}"
    yield from (f"drawn for nobody: {key}" for key in drawn)


def _ends(audit: Audit) -> Iterator[str]:
    """Nothing waits for ever."""
    for key, payment in payments_of(audit.books).items():
        if payment.state not in FINAL:
            yield f"never ended: {key} is {payment.state}"
    open_draw = (DrawState.CREATED, DrawState.ASKED)
    with audit.books.reading() as books:
        for key in books.scalars(sa.select(draw.c.key).where(draw.c.state.in_(open_draw))):
            yield f"never answered: {key}"
        waiting = sa.select(posting).where(posting.c.state != PostingState.POSTED)
        for row in books.execute(waiting):
            yield f"not posted: {row.key} is {row.state}: {row.error}"


def _entries(audit: Audit) -> Iterator[str]:
    """Cash receipting has a receipt for what was taken, a reversal for what went back; once."""
    for key, times in Counter(entry.key for entry in audit.entries).items():
        if times > 1:
            yield f"posted twice: {key}"
    found = {entry.key: entry for entry in audit.entries}
    for key, cents, payment in _expected(audit):
        entry = found.pop(key, None)
        if entry is None:
            yield f"missing in cash receipting: {key}"
        elif (entry.account, entry.cents, entry.confirmation) != (
            payment.account,
            cents,
            payment.confirmation,
        ):
            yield f"cash receipting has something else: {key}"
    yield from (f"posted for nothing: {key}" for key in found)


def _expected(audit: Audit) -> Iterator[tuple[str, int, sa.Row]]:
    fees, draws, events = _fees(audit), _approved(audit), _events(audit)
    for key, payment in payments_of(audit.books).items():
        if payment.state in (PaymentState.SUCCEEDED, PaymentState.RETURNED):
            receipt = posting_key(PostingKind.RECEIPT, taken_key(draws[key]))
            yield receipt, payment.amount.cents, payment
        for event in events.get(key, ()):
            reversal = posting_key(PostingKind.REVERSAL, f"{event.kind}/{event.event_id}")
            yield reversal, event.amount.cents, payment
        if key in fees:
            yield fees[key].key, fees[key].amount.cents, payment


def _fees(audit: Audit) -> dict[str, sa.Row]:
    query = sa.select(posting).where(posting.c.kind == PostingKind.FEE)
    with audit.books.reading() as books:
        return {row.payment_key: row for row in books.execute(query)}


def _approved(audit: Audit) -> dict[str, str]:
    query = sa.select(draw.c.payment_key, draw.c.key).where(draw.c.state == DrawState.APPROVED)
    with audit.books.reading() as books:
        return {row.payment_key: row.key for row in books.execute(query)}


def _events(audit: Audit) -> dict[str, list[sa.Row]]:
    query = sa.select(payment_event, draw.c.payment_key).join(draw)
    found: dict[str, list[sa.Row]] = {}
    with audit.books.reading() as books:
        for row in books.execute(query):
            found.setdefault(row.payment_key, []).append(row)
    return found


def _balances(audit: Audit) -> Iterator[str]:
    """What an account has paid is what was taken and not returned."""
    with audit.books.reading() as books:
        paid = {row.account_key: row.paid for row in books.execute(sa.select(balance_due))}
        sums = {row.account_key: row.paid for row in books.execute(outstanding_sums())}
    returned = set(_events(audit))
    stays = Counter[str]()  # an account may have several payments: one was drawn again
    for key, payment in payments_of(audit.books).items():
        is_kept = payment.state is PaymentState.SUCCEEDED
        stays[payment.account_key] += payment.amount.cents if is_kept else 0
        if (key in returned) != (payment.state is PaymentState.RETURNED):
            yield f"a return was recorded for a payment that is {payment.state}: {key}"
    for account, cents in stays.items():
        if (paid[account].cents, sums.get(account, ZERO).cents) != (cents, cents):
            yield f"the balance is wrong: {account}"


def _paid_out(audit: Audit) -> Iterator[str]:
    """Every payout stands in our books as the gateway made it, and nothing is left on the way."""
    theirs = Counter(
        (f"SB{row['draw']:08d}", row["cents"], row["fee"], row["pays_out_on"])
        for row in gateway_rows(audit.gateway_file, "SELECT * FROM movement")
    )
    items = sa.select(settlement_item, settlement.c.pays_out_on).join(settlement)
    with audit.books.reading() as books:
        ours = Counter(
            (row.reference, row.amount.cents, row.fee.cents, row.pays_out_on.isoformat())
            for row in books.execute(items)
        )
    for line in sorted((theirs - ours) + (ours - theirs)):
        yield f"a payout differs: {line}"
    held = sum(
        one.amount.cents
        for one in payments_of(audit.books).values()
        if one.state is PaymentState.SUCCEEDED
    )
    if held != sum(cents * times for (_, cents, _, _), times in ours.items()):
        yield "what was taken and kept is not what was paid out"
