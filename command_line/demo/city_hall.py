"""The invented city's side of a month: who pays at the counter, and the feed that tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from command_line.demo.households import account_number

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from domain.money import Money
    from office.equipment.office import Office

FEED: Final = "feed"  # below the home
CORRECTED: Final = (16, "now.it.is.right@example.com")  # an account of a bad address
_IN_TIME, _LATE = 0.7, 0.9  # shares: who pays by the due date, who at all


class CityHall:
    """
    The billing system of the demo: it books what the counter takes, and writes its feed each day.

    What our cash receipting has entered comes back with the next file, as it would from a real one.
    """

    def __init__(self, home: Path, utility: str) -> None:
        from billing_system.feed.sandbox_books import SandboxBillingBooks

        self._folder = home / FEED
        self._books = SandboxBillingBooks(home / "sandbox-billing.db")
        self._utility = utility
        self._told: set[str] = set()

    def write_feed(self, office: Office, day: int, now: datetime) -> None:
        """Write the file of a morning, so many days after the close; `now` is a local time."""
        if day == 1:
            number, address = CORRECTED
            self._books.change(account_number(number), {"email": address})
        with office.database.reading() as books:
            for account, amount in _payers(books, day):
                self._books.book(_payment(account, amount, now.date()))
            for entry in _receipts(books):
                if entry["receipt"] not in self._told:
                    self._told.add(entry["receipt"])
                    self._books.take_receipt(entry, now)
        number = self._books.write_file(now)
        packed = self._books.packed(number, self._utility)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        (self._folder / f"feed-{number:04d}.zip").write_bytes(packed or b"")

    def close(self) -> None:
        self._books.close()


def paying_day(account_key: str) -> int | None:
    """Return how many days after the close somebody without autopay pays; None: not this month."""
    chance = Random(f"{account_key}/pays")  # noqa: S311  no secrets here
    habit = chance.random()
    if habit < _IN_TIME:
        return chance.randint(1, 17)
    return chance.randint(18, 28) if habit < _LATE else None


def _payers(books: Connection, day: int) -> Iterator[tuple[str, Money]]:
    """Who pays today, and what: all that is owed, as the notice beside it says."""
    from database.queries.balances import is_owed, open_balance
    from database.tables import balance_due, mandate

    enrolled = sa.exists().where(
        mandate.c.account_key == balance_due.c.account_key, mandate.c.active
    )
    owing = (
        sa.select(balance_due.c.account, balance_due.c.account_key, open_balance().label("open"))
        .where(is_owed(), ~enrolled)
        .order_by(balance_due.c.account_key)
    )
    for row in books.execute(owing):
        if paying_day(row.account_key) == day:
            yield row.account, row.open


def _payment(account: str, amount: Money, day: date) -> dict[str, str]:
    return {
        "account_number": account,
        "date": day.isoformat(),
        "type": "payment",
        "amount": f"-{amount}",
        "description": "PAID AT THE COUNTER",
        "posted_at": f"{day.isoformat()}T07:30",
    }


def _receipts(books: Connection) -> list[dict[str, str]]:
    """What was entered in cash receipting so far."""
    from database.ledger.tables import balance_entry
    from database.tables import gateway_payment, posting

    entered = (
        sa.select(posting, gateway_payment.c.account, balance_entry.c.happened_on)
        .join(gateway_payment, gateway_payment.c.key == posting.c.payment_key)
        .join(balance_entry, balance_entry.c.key == posting.c.entry_key)
        .where(posting.c.receipt.is_not(None))
        .order_by(posting.c.key)
    )
    return [
        {
            "kind": row.kind.value,
            "account": row.account,
            "taken_on": row.happened_on.isoformat(),
            "amount": str(row.amount),
            "receipt": row.receipt,
        }
        for row in books.execute(entered)
    ]
