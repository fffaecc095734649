"""Which delivery a mail that came back belongs to."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import delivery
from mail.bounce_reading import Returned
from mail.verp import Verp

_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_TOKEN = re.compile(r"[a-z2-7]{16}")
_COLUMNS = [
    delivery.c[name] for name in ("key", "run", "account_key", "account", "address", "status")
]


def find_delivery(
    books: Connection, returned: Returned, verp: Verp | None
) -> tuple[sa.Row[Any] | None, bool]:
    """
    Find the delivery by signed token, else by envelope id, else by the returned Message-ID.

    The second value tells whether it is certain. Where our mails carry signed senders, a mail
    without one is not: envelope ids and Message-IDs can be guessed, and the delivery is named for
    a person to judge by.
    """
    if verp is not None:
        for place in returned.places:
            for token in verp.tokens(place):
                found = _one(books, delivery.c.token == token)
                if found is not None:
                    return found, True
    return _by_names(books, returned), verp is None


def _by_names(books: Connection, returned: Returned) -> sa.Row[Any] | None:
    envelope_id = _from_xtext(returned.envelope_id)
    token = _TOKEN.search(envelope_id.lower())
    if token is not None:
        found = _one(books, delivery.c.token == token[0])
        if found is not None:
            return found
    for message_id in (f"<{envelope_id.strip('<>')}>", returned.message_id):
        found = _one(books, delivery.c.message_id == message_id)
        if found is not None:
            return found
    return _one(books, delivery.c.key == envelope_id)


def _one(books: Connection, is_it: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    return books.execute(sa.select(*_COLUMNS).where(is_it)).one_or_none()


def _from_xtext(text: str) -> str:
    """Undo the coding of envelope ids (RFC 3461, 4): `+2B` is a plus."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
