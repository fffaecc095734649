"""The bill that no mailbox took: it goes on paper."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.bills import is_doubled
from database.tables import account, bill, delivery, delivery_plan, paper
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason

_COLUMNS = ["run", "form", "account_key", "account", "pages", "reason", "sequence"]


def put_on_paper(books: Connection, run: str | None = None, account_key: str | None = None) -> int:
    """
    Queue for the next print batch every bill whose deliveries have all failed.

    A bill that is on paper already, or goes there by its plan, is left alone; so this may be done
    again at any time. With a run, or a run and an account, only theirs. Returns how many are new.
    """
    ours = delivery.c.kind == MessageKind.BILL
    failed = (
        sa.select(delivery.c.run, delivery.c.form, delivery.c.account_key)
        .where(ours, delivery.c.status == DeliveryStatus.FAILED)
        .distinct()
        .subquery()
    )
    is_left = _same_bill(delivery, bill).where(ours, delivery.c.status != DeliveryStatus.FAILED)
    planned = sa.exists().where(
        delivery_plan.c.run == bill.c.run,
        delivery_plan.c.account_key == bill.c.account_key,
        delivery_plan.c.paper.is_not(None),
    )
    chosen = (
        sa.select(
            bill.c.run,
            bill.c.form,
            bill.c.account_key,
            account.c.account,
            bill.c.pages,
            sa.literal(PaperReason.EBILL_BOUNCED, paper.c.reason.type),
            sa.literal(0),
        )
        .join(
            failed,
            sa.and_(
                failed.c.run == bill.c.run,
                failed.c.form == bill.c.form,
                failed.c.account_key == bill.c.account_key,
            ),
        )
        .join(
            account,
            sa.and_(account.c.run == bill.c.run, account.c.account_key == bill.c.account_key),
        )
        .where(
            ~is_left,
            ~planned,
            ~_same_bill(paper, bill),
            ~is_doubled(),
        )
    )
    if run is not None:
        chosen = chosen.where(bill.c.run == run)
    if account_key is not None:
        chosen = chosen.where(bill.c.account_key == account_key)
    queue = paper.insert().from_select(_COLUMNS, chosen)
    return books.execute(queue, execution_options={"preserve_rowcount": True}).rowcount


def waiting_runs(books: Connection) -> dict[str, int]:
    """Count, by run, the bills that wait for the next print batch."""
    rows = books.execute(
        sa.select(paper.c.run, sa.func.count().label("bills"))
        .where(paper.c.part.is_(None))
        .group_by(paper.c.run)
        .order_by(paper.c.run)
    )
    return {row.run: row.bills for row in rows}


def _same_bill(table: Any, of: Any) -> sa.Exists:
    """Make the claim that a table has a row of the same run, form and account."""
    return sa.exists().where(
        table.c.run == of.c.run,
        table.c.form == of.c.form,
        table.c.account_key == of.c.account_key,
    )
