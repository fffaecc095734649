"""A portal user who is a landlord or cosigner: linked by the office, and ended (rule 133)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import landlord_link
from database.definitions.in_force import landlord_in_force
from database.runs import newest_periods
from database.tables import cosigner
from identity.activity import record_activity


@dataclass(frozen=True, slots=True)
class LandlordAct:
    """Who links or ends, when, and why."""

    by: str
    at: datetime
    reason: str


def landlord_name(books: Connection, cosigner_id: str) -> str | None:
    """Return the name of a landlord of the newest closed exports, None where none has the id."""
    query = sa.select(cosigner.c.name).where(
        cosigner.c.cosigner_id == cosigner_id, cosigner.c.period.in_(newest_periods())
    )
    return books.scalar(query.order_by(cosigner.c.period.desc()).limit(1))


def is_landlord(books: Connection, mailbox: str, cosigner_id: str) -> bool:
    """Tell whether a portal user is this landlord now, by the newest exports or by us."""
    rows = landlord_in_force.c
    query = sa.select(rows.cosigner_id).where(
        rows.cosigner_id == cosigner_id,
        sa.func.lower(rows.portal_user) == mailbox,
        rows.period.in_(newest_periods()),
    )
    return books.execute(query.limit(1)).first() is not None


def add_landlord(books: Connection, user: int, cosigner_id: str, act: LandlordAct) -> None:
    """Let a portal user see every account of a landlord, those to come too (rules 133, 134)."""
    _write(
        books,
        user,
        cosigner_id,
        {
            "linked_at": act.at,
            "linked_by": act.by,
            "unlinked_at": None,
            "unlinked_by": "",
            "reason": act.reason,
        },
        {},
    )
    record_activity(books, user, "landlord linked", act.at, detail=cosigner_id, by=act.by)


def end_landlord(books: Connection, user: int, cosigner_id: str, act: LandlordAct) -> None:
    """
    End a landlord's link.

    One of the billing system's export is hidden by a row of ours, until an export that is imported
    later has it again (ruling 25).
    """
    _write(
        books,
        user,
        cosigner_id,
        {"unlinked_at": act.at, "unlinked_by": act.by, "reason": act.reason},
        {"linked_at": act.at, "linked_by": "the billing system"},
    )
    record_activity(books, user, "landlord ended", act.at, detail=cosigner_id, by=act.by)


def _write(
    books: Connection, user: int, cosigner_id: str, said: dict[str, Any], when_new: dict[str, Any]
) -> None:
    row = landlord_link.c
    changed = books.execute(
        landlord_link.update()
        .where(row.user_number == user, row.cosigner_id == cosigner_id)
        .values(**said)
    )
    if not changed.rowcount:
        new = {"user_number": user, "cosigner_id": cosigner_id} | when_new | said
        books.execute(landlord_link.insert().values(**new))
