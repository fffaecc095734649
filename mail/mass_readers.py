"""The mailboxes of a closed period that mass mails may go to, with the accounts they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, account_email, portal_link, portal_user
from domain.accounts import AccountStatus, account_key
from domain.deliveries import Recipient, RecipientSource
from domain.failures import Misuse, PermanentFailure
from mail.addresses import to_envelope_address
from mail.mass_conditions import to_conditions
from mail.recipients import Some, read_addresses
from rules.communications import Reader


def read_portal_users(books: Connection, run: str) -> Iterator[Reader]:
    """
    Yield all portal users, each with the first of their accounts that is not closed.

    Put together here: no index leads from a mailbox to its links, and a join took hours.
    """
    links = (
        sa.select(portal_link.c.mailbox, account.c.account)
        .join(account, _same_account(portal_link))
        .where(portal_link.c.run == run, account.c.status != AccountStatus.CLOSED)
        .order_by(account.c.account_key.desc())
    )
    first = {row.mailbox: row.account for row in books.execute(links)}  # the last one stays
    users = (
        sa.select(portal_user.c.mailbox, portal_user.c.address)
        .where(portal_user.c.run == run)
        .order_by(portal_user.c.mailbox)
    )
    for mailbox, address in books.execute(users):
        recipient = Recipient(address, RecipientSource.PORTAL_USER)
        yield Reader(recipient, first.get(mailbox, ""))


def read_customers(
    books: Connection,
    run: str,
    *,
    where: Sequence[str] = (),
    numbers: Sequence[str] | None = None,
    to_landlords: bool,
) -> Iterator[Reader | None]:
    """
    Yield everybody who belongs to the accounts, and None for an account without any address.

    `where` are conditions, `numbers` the accounts that are meant; closed ones are not written to.
    Raises Misuse for what is neither.
    """
    conditions = to_conditions(where)
    if numbers is not None:
        conditions.append(account.c.account_key.in_(_known(books, run, numbers)))
    query = (
        sa.select(account.c.account_key, account.c.account, account.c.cosigner_id)
        .where(account.c.run == run, account.c.status != AccountStatus.CLOSED, *conditions)
        .order_by(account.c.account_key)
    )
    rows = books.execute(query).all()
    some = None
    if numbers is not None:
        some = Some([row.account_key for row in rows], [row.cosigner_id for row in rows])
    known = read_addresses(books, run, some, to_landlords=to_landlords)
    for row in rows:
        recipients = known.of(row.account_key, row.cosigner_id)
        yield from (Reader(recipient, row.account) for recipient in recipients)
        if not recipients:
            yield None


def read_picked(books: Connection, run: str, addresses: Sequence[str]) -> Iterator[Reader]:
    """Yield addresses as they were typed, with the accounts that know them; raises Misuse."""
    wanted = {address.casefold(): _recipient(address) for address in addresses}
    for table, mailbox in (
        (portal_link, portal_link.c.mailbox),
        (account_email, sa.func.lower(account_email.c.address)),
    ):
        query = (
            sa.select(table.c.address, account.c.account)
            .join(account, _same_account(table))
            .where(
                table.c.run == run,
                mailbox.in_(list(wanted)),
                account.c.status != AccountStatus.CLOSED,
            )
            .order_by(account.c.account_key)
        )
        for address, number in books.execute(query):
            yield Reader(wanted[address.casefold()], number)
    yield from (Reader(recipient) for recipient in wanted.values())


def _known(books: Connection, run: str, numbers: Sequence[str]) -> list[str]:
    """Return the keys of account numbers that a run has; raises Misuse for another."""
    keys = [account_key(number) for number in numbers]
    query = sa.select(account.c.account_key).where(
        account.c.run == run, account.c.account_key.in_(keys)
    )
    found = set(books.scalars(query))
    for number, key in zip(numbers, keys, strict=True):
        if key not in found:
            raise Misuse(
                f"Period {run} has no account {number}; check its number.", "unknown-account"
            )
    return keys


def _recipient(address: str) -> Recipient:
    try:
        to_envelope_address(address)
    except PermanentFailure as failure:
        raise Misuse(f"--to: {failure}.", "wrong-address") from None
    return Recipient(address, RecipientSource.CUSTOMER_RECORD)


def _same_account(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(account.c.run == table.c.run, account.c.account_key == table.c.account_key)
