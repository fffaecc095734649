"""
One transaction at a time decides about a portal user, or about who has a mailbox.

PostgreSQL shows a transaction what another one has not committed yet as it was before: a state that
is read, judged and written would undo what was written meanwhile, as a lock of customer service. So
whoever writes holds the user, and for a mailbox that perhaps nobody has yet its name, until the
transaction ends. The user is held before the links of the user: in one order nobody waits in a
circle. On SQLite one transaction writes at a time anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import web_user
from database.inserting import one_after_the_other


def hold_user(books: Connection, number: int) -> sa.Row[Any] | None:
    """Return a portal user's row as it is now; it stays so until this transaction ends."""
    held = sa.select(web_user).where(web_user.c.number == number)
    return books.execute(held.with_for_update(key_share=True)).one_or_none()


def hold_users(books: Connection, numbers: Sequence[int]) -> None:
    """Hold several portal users, in the order of their numbers."""
    for number in sorted(numbers):
        hold_user(books, number)


def hold_mailbox(books: Connection, mailbox: str) -> None:
    """Let nobody else come to have a mailbox, or lose it, until this transaction ends."""
    one_after_the_other(books, f"mailbox {mailbox}")


def is_writing(books: Connection) -> bool:
    """Tell whether a transaction writes; one that only reads holds nobody."""
    return bool(books.get_execution_options().get("writes"))
