"""Texts that are to be sent, recorded in the place of the mails that their readers would get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.texts import text_message
from database.inserting import insert_new
from database.tables import delivery
from domain.accounts import account_key
from domain.deliveries import SENDING_MOVES, WAITING, DeliveryStatus, MessageKind, RecipientSource
from domain.payments import PaymentKind
from domain.states import Transitions
from domain.texts import TEXTED
from mail.keys import delivery_key
from mail.texts.readers import TextReader, readers_of

TEXT = Transitions(
    "text message",
    start=DeliveryStatus.QUEUED,
    moves={
        **SENDING_MOVES,
        (DeliveryStatus.QUEUED, "unwanted"): DeliveryStatus.FAILED,
        (DeliveryStatus.DEFERRED, "unwanted"): DeliveryStatus.FAILED,
        (DeliveryStatus.SENT, "not delivered"): DeliveryStatus.FAILED,
    },
)


@dataclass(frozen=True, slots=True)
class PlannedText:
    """One text that is to be sent; `mail_key` names the mail whose place it takes."""

    kind: MessageKind
    about: str
    reader: TextReader
    address: str
    source: RecipientSource | None = None
    account: str = ""
    period: str | None = None
    form: str = ""

    @property
    def key(self) -> str:
        """Name it by business facts: to one phone it goes once, whoever shares it."""
        return delivery_key(self.kind, self.about, self.form, self.account, self.reader.phone)

    @property
    def mail_key(self) -> str:
        place = self.address.casefold()
        return delivery_key(self.kind, self.about, self.form, self.account, place)


def find_texts(books: Connection, planned: Sequence[Any]) -> dict[str, PlannedText]:
    """
    Return which planned mails are to be texts, by the mails' keys (rule 103).

    A receipt of a payment by hand stays a mail: whoever pays gives an address for it. What was
    recorded as a mail before stays one, and what failed as a text becomes one.
    """
    candidates = [one for one in planned if one.kind in TEXTED and not _is_by_hand(one)]
    readers = readers_of(books, {one.address.casefold() for one in candidates})
    found = {
        one.key: PlannedText(
            one.kind, one.about, reader, one.address, one.source, one.account, one.period, one.form
        )
        for one in candidates
        if (reader := readers.get(one.address.casefold())) is not None
    }
    if not found:
        return {}
    mailed = set(books.scalars(sa.select(delivery.c.key).where(delivery.c.key.in_(found))))
    failed = failed_keys(books, [text.key for text in found.values()])
    return {
        key: text for key, text in found.items() if key not in mailed and text.key not in failed
    }


def _is_by_hand(one: Any) -> bool:
    return str(one.about).startswith(f"{PaymentKind.CHECKOUT}/")


def failed_keys(books: Connection, keys: Iterable[str]) -> set[str]:
    """Return those of some texts that nobody got, and nobody will."""
    rows = text_message.c
    query = sa.select(rows.key).where(rows.key.in_(keys), rows.status == DeliveryStatus.FAILED)
    return set(books.scalars(query))


def known_statuses(books: Connection, texts: Iterable[PlannedText]) -> dict[str, DeliveryStatus]:
    """Return how those of some texts stand that were recorded before, by their keys."""
    rows = text_message.c
    query = sa.select(rows.key, rows.status).where(rows.key.in_([text.key for text in texts]))
    return {row.key: row.status for row in books.execute(query)}


def queue_texts(books: Connection, texts: Iterable[PlannedText], now: datetime) -> int:
    """Record texts in the transaction that they follow from; return how many are new."""
    rows = [_row_of(text, now) for text in texts]
    if not rows:
        return 0
    options = {"preserve_rowcount": True}  # of an executemany, which PostgreSQL's driver sums up
    recording = insert_new(books.dialect.name, text_message)
    new: int = books.execute(recording, rows, execution_options=options).rowcount
    return new


def _row_of(text: PlannedText, now: datetime) -> dict[str, Any]:
    return {
        "key": text.key,
        "mail_key": text.mail_key,
        "period": text.period,
        "account_key": account_key(text.account),
        "account": text.account,
        "kind": text.kind,
        "form": text.form,
        "user_number": text.reader.user,
        "address": text.address,
        "source": text.source,
        "phone": text.reader.phone,
        "language": text.reader.language,
        "status": TEXT.start,
        "attempts": 0,
        "queued_at": now,
        "next_try_at": now,
        "possible_duplicate": False,
    }


def withdraw_texts(books: Connection, period: str, *which: sa.ColumnElement[bool]) -> int:
    """Take waiting texts of a period out that have surely not left; return how many."""
    rows = text_message.c
    waits = rows.status.in_(WAITING)
    done = books.execute(
        text_message.delete().where(rows.period == period, waits, ~rows.possible_duplicate, *which)
    )
    return done.rowcount


def fail_waiting(books: Connection, phone: str, why: str) -> int:
    """Let what waits for a phone go unsent, whatever it is; return how many."""
    rows = text_message.c
    done = books.execute(
        text_message.update()
        .where(
            rows.phone == phone,
            rows.status.in_(WAITING),
        )
        .values(status=TEXT.after(DeliveryStatus.QUEUED, "unwanted"), error=why)
    )
    return done.rowcount
