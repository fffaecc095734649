"""Linking an account to a portal user, and taking a link away (rules 123-130)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import account_link, web_user
from database.definitions.in_force import email_in_force
from database.queries.customers.findable import refresh_found
from database.queries.portal.accounts import newest_account
from database.tables import portal_link
from domain.accounts import account_key
from domain.identity import LinkKind, LinkProof, PortalMail, PortalUser, mailbox_of
from domain.money import ZERO, Money
from identity.activity import CUSTOMER, record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.one_time_links import find_link, make_link, use_link
from identity.tokens import LinkTokens
from rules.portal_access import NameMatching, is_last_name

MOST_TRIES = 5  # bad ones in 24 hours, for an account and for a portal user
MOST_FROM_NETWORK = 20
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LinkWish:
    """What was typed: an account number, and a last name or the last billed amount."""

    number: str
    proof: str
    network: str = ""


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """The account that is linked now and the mails that tell of it; else why not."""

    account: str = ""
    mails: tuple[PortalMail, ...] = ()
    too_many: bool = False


def link_account(
    books: Connection,
    tokens: LinkTokens,
    user: PortalUser,
    wish: LinkWish,
    now: datetime,
    matching: NameMatching = NameMatching.FOLDED,
) -> LinkAnswer:
    """
    Link an account by its number and the last name or the last billed amount (rules 123-125).

    One answer for a wrong number, name and amount. After five bad tries in a day for the account
    or the user the right ones are refused too. Whoever gets mail about the account is told of the
    link, with a way to take it away.
    """
    key = account_key(wish.number)[:64]
    subjects = [f"user/{user.number}", f"account/{key}"]
    too_many = count_bad(books, "link", subjects, now, DAY) >= MOST_TRIES
    if wish.network:
        bad = count_bad(books, "link", [wish.network], now, DAY)
        too_many = too_many or bad >= MOST_FROM_NETWORK
        subjects.append(wish.network)
    known = newest_account(books, key) if key else None
    proof = None if known is None or too_many else _proof(wish.proof, known, matching)
    record_attempt(books, "link", subjects, now, good=proof is not None)
    if proof is None or known is None:
        record_activity(books, user.number, "link refused", now)
        return LinkAnswer(too_many=too_many)
    mails = _tell_others(books, tokens, user, known, now)
    add_link(books, user.number, known.account_key, proof, now, CUSTOMER)
    return LinkAnswer(known.account, mails)


def find_by_bill(
    books: Connection,
    wish: LinkWish,
    now: datetime,
    most: int,
    matching: NameMatching = NameMatching.FOLDED,
) -> tuple[str, str] | None:
    """
    Return key and number of an account of which a guest has shown a bill; None: no such one.

    By its number and the last name or the last billed amount, as an account is linked (rule 123).
    One answer for whatever is wrong, and for the right ones after too many bad tries in a day for
    the account (five) or from the network (`most`).
    """
    key = account_key(wish.number)[:64]
    bad_account = count_bad(books, "link", [f"account/{key}"], now, DAY)
    bad_network = count_bad(books, "guest", [wish.network], now, DAY)
    is_over = bad_account >= MOST_TRIES or bad_network >= most
    known = newest_account(books, key) if key and not is_over else None
    proof = None if known is None else _proof(wish.proof, known, matching)
    record_attempt(books, "link", [f"account/{key}"], now, good=proof is not None)
    record_attempt(books, "guest", [wish.network], now, good=proof is not None)
    return None if known is None or proof is None else (known.account_key, known.account)


def add_link(
    books: Connection, user: int, key: str, proof: LinkProof, now: datetime, by: str
) -> None:
    """Link an account; one that was linked before is linked again, once."""
    row = account_link.c
    again = books.execute(
        account_link.update()
        .where(row.user_number == user, row.account_key == key)
        .values(unlinked_at=None, unlinked_by="", linked_at=now, linked_by=by, proof=proof)
    )
    if not again.rowcount:
        books.execute(
            account_link.insert().values(
                user_number=user, account_key=key, proof=proof, linked_at=now, linked_by=by
            )
        )
    refresh_found(books, [key])
    record_activity(books, user, "account linked", now, account_key=key, by=by)


def unlink_account(books: Connection, user: int, key: str, now: datetime, by: str) -> None:
    """
    Take an account off a portal user (rules 128, 129).

    A link of the billing system's export is hidden by a row of ours, until an export that is
    imported later has it again.
    """
    row = account_link.c
    gone = books.execute(
        account_link.update()
        .where(row.user_number == user, row.account_key == key)
        .values(unlinked_at=now, unlinked_by=by, paperless=None, paperless_at=None)
    )
    if not gone.rowcount:
        books.execute(
            account_link.insert().values(
                user_number=user,
                account_key=key,
                proof=LinkProof.EXPORT,
                linked_at=now,
                linked_by="the billing system",
                unlinked_at=now,
                unlinked_by=by,
            )
        )
    refresh_found(books, [key])
    record_activity(books, user, "account unlinked", now, account_key=key, by=by)


def unlink_by_mail(books: Connection, token: str, now: datetime) -> bool:
    """Take a new link away for somebody who was told of it and knows nothing of it."""
    link = find_link(books, token, frozenset({LinkKind.UNLINK_ACCOUNT}), now)
    if link is None or link.user is None or not use_link(books, link, now):
        return False
    unlink_account(books, link.user, link.about, now, "by a mailed link")
    return True


def _proof(said: str, known: Any, matching: NameMatching) -> LinkProof | None:
    amount = _amount(said)
    if amount is not None and amount in (known.amount_due, known.corrected_due):
        return LinkProof.AMOUNT
    if is_last_name(said, known.last_name, known.name, matching):
        return LinkProof.NAME
    return None


def _amount(said: str) -> Money | None:
    """Read `1,027.35`, `$45.50` and `45.5`; None for what is no amount, or nothing at all."""
    try:
        amount = Money.parse(said)
    except ValueError:
        return None
    return amount if amount > ZERO else None


def _tell_others(
    books: Connection, tokens: LinkTokens, user: PortalUser, known: Any, now: datetime
) -> tuple[PortalMail, ...]:
    """Make one link that takes the new one away, and a mail with it for every other mailbox."""
    mailboxes = {mailbox_of(address): address for address in _addresses(books, known)}
    mailboxes.pop(user.mailbox, None)
    if not mailboxes:
        return ()
    key = make_link(
        books,
        tokens,
        LinkKind.UNLINK_ACCOUNT,
        now,
        user=user.number,
        about=known.account_key,
    )
    return tuple(
        PortalMail("linked", address, user.number, key, known.account)
        for address in mailboxes.values()
    )


def _addresses(books: Connection, known: Any) -> list[str]:
    mail, export, own = email_in_force.c, portal_link.c, account_link.c
    of_account = sa.select(mail.address).where(
        mail.period == known.period, mail.account_key == known.account_key, mail.fault.is_(None)
    )
    of_export = sa.select(export.address).where(
        export.period == known.period, export.account_key == known.account_key
    )
    of_portal = (
        sa.select(web_user.c.address)
        .join(account_link, own.user_number == web_user.c.number)
        .where(own.account_key == known.account_key, own.unlinked_at.is_(None))
    )
    return [
        address
        for query in (
            of_account.order_by(mail.address),
            of_export.order_by(export.mailbox),
            of_portal.order_by(web_user.c.number),
        )
        for address in books.scalars(query)
    ]
