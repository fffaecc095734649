"""What a person decides about a posting that cash receipting refused, or that was given up."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import gateway_payment, posting
from domain.failures import Misuse, Refused
from domain.payments import POSTING, PostingState


def try_again(database: Database, key: str, reason: str, *, now: datetime, who: str) -> None:
    """
    Let a posting be tried again, at once and with all its tries.

    Where it may be in cash receipting already it is looked up there first. Raises Misuse where
    there is no such posting, Refused where it does not wait for a person.
    """
    with database.writing() as books:
        state = _state_of(books, key)
        if state is not PostingState.REJECTED:
            raise Refused("not-rejected", f"{key} is {state}: it is tried again by itself.")
        values = {"attempts": 0, "next_retry_at": now, "error": None}
        _move(books, key, state, "tried again", **values)
        record_audit(books, now, who, "post again", key, reason)


def post_by_hand(
    database: Database, key: str, receipt: str, reason: str, *, now: datetime, who: str
) -> None:
    """
    Record that a person entered a posting in cash receipting, under this receipt number.

    Only for one that nobody is asking for: else it might be entered twice. Raises Misuse, Refused.
    """
    with database.writing() as books:
        state = _state_of(books, key)
        if (state, "posted by hand") not in POSTING.moves:
            raise Refused(
                "not-rejected",
                f"{key} is {state}; wait until it is posted or waits for a person.",
            )
        _move(books, key, state, "posted by hand", receipt=receipt, posted_at=now, error=None)
        record_audit(books, now, who, "posted by hand", key, f"{receipt}: {reason}")


def to_key(database: Database, written: str) -> str:
    """Find a posting by its key or by its payment's confirmation; raises Misuse."""
    query = (
        sa.select(posting.c.key)
        .join(gateway_payment, gateway_payment.c.key == posting.c.payment_key)
        .where(
            sa.or_(posting.c.key == written, gateway_payment.c.confirmation == written),
            posting.c.state != PostingState.POSTED,
        )
    )
    with database.reading() as books:
        found = list(books.scalars(query))
    if len(found) != 1:
        many = "several postings" if found else "no unposted payment"
        raise Misuse(
            f"There is {many} under {written}; copy the key from `list pending-payments`.",
            "unknown-posting",
        )
    return str(found[0])


def _state_of(books: Connection, key: str) -> PostingState:
    state = books.scalar(sa.select(posting.c.state).where(posting.c.key == key).with_for_update())
    if state is None:
        raise Misuse(f"There is no posting {key}.", "unknown-posting")
    return PostingState(state)


def _move(books: Connection, key: str, state: PostingState, event: str, **values: object) -> None:
    changed = books.execute(
        posting.update()
        .where(posting.c.key == key, posting.c.state == state)
        .values(state=POSTING.after(state, event), **values)
    )
    if changed.rowcount != 1:
        raise Refused("changed", f"{key} was changed by somebody else; look at it again.")
