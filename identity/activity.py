"""What happened in a portal user's portal, for the customer and for CSRs (rules 166-169)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from database.definitions.identity import activity

CUSTOMER = "the customer"


def record_activity(
    books: Connection,
    user: int,
    kind: str,
    now: datetime,
    *,
    account_key: str = "",
    detail: str = "",
    by: str = CUSTOMER,
) -> None:
    """Record an act for good; `detail` holds no address, token or secret."""
    books.execute(
        activity.insert().values(
            user_number=user, at=now, kind=kind, account_key=account_key, detail=detail, by=by
        )
    )
