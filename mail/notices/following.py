"""Waiting mails and texts whose reader is the account's no more: they go to those who are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.identity import account_link, address_change, landlord_link, web_user
from database.definitions.texts import text_message
from database.ledger.tables import account_change
from database.queries.outsorted import is_outsorted
from database.tables import account, bill, delivery, delivery_plan, paper, recipient
from domain.deliveries import WAITING, MessageKind, Recipient, RecipientSource
from domain.feeds import ChangeField
from domain.identity import UserState
from domain.payments import PaymentKind
from domain.words import say_count
from mail.keys import about_of
from mail.outbox.deliveries import OF_THE_BILL
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages, surely_not_left
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.delivery_plan import PlanTerms, plan_again
from mail.recipients.suppressed import suppressed_mailboxes

SOME = 500  # accounts in one question
FOLLOWED = (  # what goes to everybody of an account, whoever they are by then
    MessageKind.BILL,
    MessageKind.PAYMENT_DUE,
    MessageKind.PAST_DUE,
    MessageKind.AUTOPAY_SCHEDULED,
    MessageKind.AUTOPAY_FAILED,
    MessageKind.RECEIPT,
    MessageKind.ARRANGEMENT,
)
_NOTICES = (  # which go to landlords where the office's bills do; the others always
    MessageKind.AUTOPAY_SCHEDULED,
    MessageKind.AUTOPAY_FAILED,
    MessageKind.RECEIPT,
)
_BY_HAND = f"{PaymentKind.CHECKOUT}/"  # a receipt of one: for who paid, and nobody else
_WORDS = {delivery.name: "waiting mail", text_message.name: "waiting text"}


@dataclass(frozen=True, slots=True)
class FollowTerms:
    """Who sends when, how the office's bills go out, and the domain of Message-IDs."""

    now: datetime
    who: str
    message_domain: str
    plan: PlanTerms


def follow_addresses(database: Database, terms: FollowTerms) -> int:
    """
    Take out the waiting mails and texts to who is their account's no more; return how many.

    While a mail server is away, a bill waits for a working day or a text for the morning, the
    feed may tell another address, and a portal user or a landlord may be unlinked, be deleted or
    sign in with another address: the mailbox of before may be a stranger's. What was taken out is
    recorded for the account's mailboxes of now, and a bill that has none of them goes on paper.
    What may have left before is kept. Each account is a transaction of its own.
    """
    return sum(_follow(database, table, terms) for table in (delivery, text_message))


def _follow(database: Database, table: sa.Table, terms: FollowTerms) -> int:
    rows, taken = table.c, 0
    with database.reading() as books:
        accounts = {(row.period, row.account_key) for row in _strayed(books, table)}
    for period, key in sorted(accounts):
        ours = (rows.period == period, rows.account_key == key)
        with database.writing() as books:
            strayed = list(_strayed(books, table, *ours))
            if strayed:
                taken += _redirect(books, table, period, key, strayed, terms)
    return taken


def _strayed(books: Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> Iterator[Any]:
    """Give what waits in a table and goes to none of the account's present mailboxes."""
    by_run: defaultdict[str, list[Any]] = defaultdict(list)
    for row in books.execute(_may_have_strayed(table).where(*which)):
        if not about_of(row.key).startswith(_BY_HAND):
            by_run[row.period].append(row)
    for period, rows in by_run.items():
        for first in range(0, len(rows), SOME):
            yield from _elsewhere(books, period, rows[first : first + SOME])


def _elsewhere(books: Connection, period: str, rows: list[Any]) -> Iterator[Any]:
    some = Some(list({row.account_key for row in rows}), list({row.cosigner_id for row in rows}))
    known = read_addresses(books, period, some)
    for row in rows:
        everybody = known.of(row.account_key, row.cosigner_id)
        if row.address.casefold() not in {one.mailbox for one in everybody}:
            yield row


def _may_have_strayed(table: sa.Table) -> sa.Select[Any]:
    """Select what waits in a table, of accounts that somebody may not belong to any more."""
    rows = table.c
    told = sa.exists().where(
        account_change.c.account_key == rows.account_key,
        account_change.c.field == ChangeField.EMAIL,
    )
    unlinked = sa.exists().where(
        account_link.c.account_key == rows.account_key, account_link.c.unlinked_at.is_not(None)
    )
    ended = sa.exists().where(
        landlord_link.c.cosigner_id == account.c.cosigner_id,
        landlord_link.c.unlinked_at.is_not(None),
    )
    has_left = sa.func.lower(rows.address).in_(_left())
    of_record = sa.and_(rows.source == RecipientSource.CUSTOMER_RECORD, told)
    of_user = sa.and_(rows.source == RecipientSource.PORTAL_USER, unlinked | has_left)
    of_landlord = sa.and_(rows.source == RecipientSource.LANDLORD, ended | has_left)
    is_held = sa.and_(rows.kind.in_(OF_THE_BILL), is_outsorted(rows.period, rows.account_key))
    return (
        sa.select(table, account.c.cosigner_id)
        .join(
            account,
            sa.and_(account.c.period == rows.period, account.c.account_key == rows.account_key),
        )
        .where(
            rows.kind.in_(FOLLOWED),
            *_waits(table),
            sa.or_(of_record, of_user, of_landlord),
            ~is_held,  # decided anew when it is released
        )
        .order_by(rows.key)
    )


def _waits(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    if table is delivery:
        return surely_not_left()
    return table.c.status.in_(WAITING), ~table.c.possible_duplicate


def _left() -> sa.CompoundSelect[Any]:
    """Select the mailboxes of portal users who were deleted, or sign in with another by now."""
    moved = address_change.c
    return sa.union_all(
        sa.select(web_user.c.mailbox).where(web_user.c.state == UserState.DELETED),
        sa.select(moved.from_mailbox).where(moved.changed_at.is_not(None)),
        sa.select(moved.to_mailbox).where(moved.stopped_at.is_not(None)),
    )


def _redirect(
    books: Connection,
    table: sa.Table,
    period: str,
    key: str,
    strayed: list[Any],
    terms: FollowTerms,
) -> int:
    """Take what strayed of one account out, and record each for whoever is to have it now."""
    of_them = table.c.key.in_([row.key for row in strayed])
    taken = table.delete().where(of_them, *_waits(table)).returning(table.c.key)
    keys = list(books.scalars(taken))
    strayed = [row for row in strayed if row.key in keys]  # without those claimed meanwhile
    if not strayed:
        return 0
    if any(row.kind is MessageKind.BILL for row in strayed):
        plan_again(books, period, key, terms.plan)
    for row in strayed:
        found = (
            _of_bill(books, row) if row.kind is MessageKind.BILL else _of_account(books, row, terms)
        )
        queue_messages(
            books,
            [_planned(row, one) for one in found],
            now=terms.now,
            message_domain=terms.message_domain,
            leaves_at=row.next_try_at,
        )
        if row.kind is MessageKind.BILL:
            _put_on_paper(books, row)
    detail = (
        f"{period}: {say_count(len(keys), _WORDS[table.name])} to mailboxes that it has no more"
    )
    record_audit(books, terms.now, terms.who, "follow addresses", strayed[0].account, detail)
    return len(keys)


def _planned(row: Any, one: Recipient) -> PlannedMessage:
    return PlannedMessage(
        row.kind,
        about=about_of(row.key),
        address=one.address,
        source=one.source,
        account=row.account,
        period=row.period,
        form=row.form,
        edition=row.edition if row.kind is MessageKind.BILL else 0,
    )


def _of_bill(books: Connection, row: Any) -> Iterable[Recipient]:
    rows = recipient.c
    query = sa.select(rows.address, rows.source).where(
        rows.period == row.period, rows.account_key == row.account_key
    )
    return [Recipient(one.address, one.source) for one in books.execute(query)]


def _of_account(books: Connection, row: Any, terms: FollowTerms) -> Iterable[Recipient]:
    suppressed = suppressed_mailboxes(books)
    some = Some([row.account_key], [row.cosigner_id])
    to_landlords = row.kind not in _NOTICES or terms.plan.to_landlords
    known = read_addresses(books, row.period, some, to_landlords=to_landlords)
    everybody = known.of(row.account_key, row.cosigner_id)
    return [one for one in everybody if one.mailbox not in suppressed]


def _put_on_paper(books: Connection, row: Any) -> None:
    """Let the next print part take a bill that is planned on paper now, and is in none."""
    same = [
        sa.and_(
            table.c.period == row.period,
            table.c.form == row.form,
            table.c.account_key == row.account_key,
            table.c.edition == row.edition,
        )
        for table in (bill, paper)
    ]
    plan = delivery_plan.c
    chosen = (
        sa.select(
            bill.c.period,
            bill.c.form,
            bill.c.account_key,
            bill.c.edition,
            sa.literal(row.account),
            bill.c.pages,
            plan.paper,
            sa.literal(0),
        )
        .join(
            delivery_plan,
            sa.and_(plan.period == bill.c.period, plan.account_key == bill.c.account_key),
        )
        .where(same[0], plan.paper.is_not(None), ~sa.exists().where(same[1]))
    )
    names = ["period", "form", "account_key", "edition", "account", "pages", "reason", "sequence"]
    books.execute(paper.insert().from_select(names, chosen))
