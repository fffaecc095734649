"""The delivery plan of a run: for each account the mailboxes, paper, or both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.definitions.account_changes import account_in_force
from database.tables import account, bill, delivery_plan, recipient
from domain.deliveries import DeliveryPlan, PasswordField
from domain.feeds import ChangeField
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.suppressed import suppressed_mailboxes
from rules.mail.delivery import bill_password, plan_delivery


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """
    How an office wants its bills to go out.

    With a `password` field, an account that has none of it gets its bill on paper; so does one
    with a bill document of more than `largest_bill` octets (None: any mail carries any bill).
    """

    to_landlords: bool = True
    password: PasswordField = PasswordField.NONE
    largest_bill: int | None = None


def plan_deliveries(database: Database, period: str, terms: PlanTerms) -> int:
    """
    Write down for every account of a run how its bill will go out (rules 21-34).

    Decided anew each time, from what was imported and the office's settings; nothing is sent by
    it. Returns the number of accounts.
    """
    with database.writing() as books:
        plans = list(_plan(books, period, terms))
        for table in (recipient, delivery_plan):
            books.execute(table.delete().where(table.c.period == period))
        _write(books, period, plans)
    return len(plans)


def plan_again(books: Connection, period: str, account_key: str, terms: PlanTerms) -> None:
    """
    Decide anew how the bill of one account goes out, by what is in force now (contract 6).

    For what is mailed or printed of it after the close: in the meantime the feed may have told
    another address, or somebody was unlinked.
    """
    plans = list(_plan(books, period, terms, account_key))
    for table in (recipient, delivery_plan):
        books.execute(
            table.delete().where(table.c.period == period, table.c.account_key == account_key)
        )
    _write(books, period, plans)


def _write(books: Connection, period: str, plans: Iterable[DeliveryPlan]) -> None:
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


def _plan(
    books: Connection, period: str, terms: PlanTerms, account_key: str | None = None
) -> Iterator[DeliveryPlan]:
    """Plan a run, or one account of it."""
    ours = [account.c.period == period]
    some: Some | None = None
    if account_key is not None:
        ours.append(account.c.account_key == account_key)
        cosigners = books.scalars(sa.select(account.c.cosigner_id).where(*ours)).all()
        some = Some([account_key], cosigners)
    known = read_addresses(books, period, some, to_landlords=terms.to_landlords)
    too_large = _too_large(books, period, terms.largest_bill, account_key)
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
        .where(*ours)
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
            has_password=not terms.password
            or bill_password(terms.password, row.zip, row.phone) != "",
            suppressed=suppressed,
            is_too_large=row.account_key in too_large,
        )


def _too_large(
    books: Connection, period: str, largest: int | None, account_key: str | None
) -> frozenset[str]:
    """Return the accounts with a bill that no mail can carry; None: any mail carries any bill."""
    if largest is None:
        return frozenset()
    query = sa.select(bill.c.account_key).where(bill.c.period == period, bill.c.size > largest)
    if account_key is not None:
        query = query.where(bill.c.account_key == account_key)
    return frozenset(books.scalars(query))
