"""The delivery plan of a run: for each account the mailboxes, paper, or both."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.definitions.account_changes import account_in_force
from database.tables import account, bill, delivery_plan, recipient
from domain.deliveries import DeliveryPlan, PasswordField
from domain.feeds import ChangeField
from mail.recipients.addresses import read_addresses
from mail.recipients.suppressed import suppressed_mailboxes
from rules.mail.delivery import bill_password, plan_delivery


def plan_deliveries(
    database: Database,
    period: str,
    *,
    to_landlords: bool,
    password: PasswordField = PasswordField.NONE,
    largest_bill: int | None = None,
) -> int:
    """
    Write down for every account of a run how its bill will go out (rules 21-34).

    Decided anew each time, from what was imported and the office's settings; nothing is sent by
    it. With a `password` field, an account that has none of it gets its bill on paper; so
    does one with a bill document of more than `largest_bill` octets. Returns the
    number of accounts.
    """
    with database.writing() as books:
        plans = list(_plan(books, period, to_landlords, password, largest_bill))
        for table in (recipient, delivery_plan):
            books.execute(table.delete().where(table.c.period == period))
        insert_rows(
            books,
            delivery_plan,
            ["period", "account_key", "paperless", "paper"],
            ((period, plan.account, plan.paperless, plan.paper) for plan in plans),
        )
        insert_rows(
            books,
            recipient,
            ["period", "account_key", "mailbox", "address", "source"],
            (
                (period, plan.account, found.mailbox, found.address, found.source)
                for plan in plans
                for found in plan.recipients
            ),
        )
    return len(plans)


def _plan(
    books: Connection,
    period: str,
    to_landlords: bool,
    password: PasswordField,
    largest_bill: int | None,
) -> Iterator[DeliveryPlan]:
    known = read_addresses(books, period, to_landlords=to_landlords)
    too_large = _too_large(books, period, largest_bill)
    suppressed = suppressed_mailboxes(books)
    rows = books.execute(
        sa.select(
            account.c.account_key,
            account.c.status,  # the export's: what it billed reaches its customer all the same
            account_in_force(account, ChangeField.EBILL).label("ebill"),
            account_in_force(account, ChangeField.SEND_PAPER).label("send_paper"),
            account.c.cosigner_id,
            account.c.zip,  # that the page is addressed to
            account_in_force(account, ChangeField.PHONE).label("phone"),
        )
        .where(account.c.period == period)
        .order_by(account.c.account_key)
    )
    for row in rows:
        yield plan_delivery(
            row.account_key,
            row.status,
            ebill=row.ebill,
            send_paper=row.send_paper,
            record=known.record.get(row.account_key, ()),
            portal_links=known.links.get(row.account_key, ()),
            landlords=known.landlords.get(row.cosigner_id, ()),
            has_password=not password or bill_password(password, row.zip, row.phone) != "",
            suppressed=suppressed,
            is_too_large=row.account_key in too_large,
        )


def _too_large(books: Connection, period: str, largest: int | None) -> frozenset[str]:
    """Return the accounts with a bill that no mail can carry; None: any mail carries any bill."""
    if largest is None:
        return frozenset()
    query = sa.select(bill.c.account_key).where(bill.c.period == period, bill.c.size > largest)
    return frozenset(books.scalars(query))
