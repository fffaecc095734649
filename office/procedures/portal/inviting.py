"""Customers invited to the portal many at once: of a filter, or those that are new (146, 147)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import account_link, web_user
from database.definitions.in_force import email_in_force
from database.queries.balances import stands_with
from database.tables import account, account_search, balance_due, period_close, portal_link
from domain.accounts import AccountStatus
from domain.identity import LinkProof, UserState
from identity.account_links import add_link
from identity.customer_service.inviting import invite
from identity.users import find_by_mailbox
from office.equipment.office import Office
from office.procedures.mailing.portal_mail import queue_portal_mails

AT_ONCE = 200  # accounts in one transaction


def count_uninvited(books: Connection, district: str = "") -> int:
    """Return how many accounts have an address on file and nobody who was ever invited."""
    rows = _uninvited(district).subquery()
    return books.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


def invite_all(office: Office, district: str, who: str, now: datetime) -> int:
    """
    Invite every account without a portal user, of one district or of all; return how many.

    Some at a time; after a crash the same again goes on with those that are left (rule 147).
    """
    return _invite(office, _uninvited(district), who, now, district or "all districts")


def invite_new(office: Office, period: str, now: datetime) -> int:
    """
    Invite the accounts that appeared first with a closed period, where `portal.invites_new` says
    so (rule 146); return how many. Done again it invites nobody twice.
    """
    if not office.settings.portal.invites_new:
        return 0
    earlier = sa.exists().where(
        _BEFORE.c.account_key == account.c.account_key,
        _BEFORE.c.period != period,
        _BEFORE.c.period.in_(sa.select(period_close.c.period)),
    )
    return _invite(
        office, _uninvited("").where(account.c.period == period, ~earlier), "billclose", now, period
    )


_BEFORE = account.alias("before")
_FIRST = sa.func.min(email_in_force.c.position)


def _invite(office: Office, which: sa.Select[Any], who: str, now: datetime, what: str) -> int:
    invited, last = 0, ""
    while True:
        with office.database.writing() as books:
            rows = books.execute(which.where(account.c.account_key > last).limit(AT_ONCE)).all()
            if not rows:
                if invited:
                    detail = f"{invited} accounts"
                    record_audit(books, now, who, "invite many", what, detail)
                return invited
            invited += sum(_invite_one(office, books, row, who, now) for row in rows)
        last = rows[-1].account_key


def _invite_one(office: Office, books: Connection, row: Any, who: str, now: datetime) -> bool:
    """
    Invite one account's customer; tell whether that was done.

    One mail for all accounts of a mailbox. Who has access already, or is locked, is left to a
    person: no list links an account to somebody who did not ask for it.
    """
    user = find_by_mailbox(books, row.address)
    if user is None:
        mails = invite(
            books, office.link_tokens, row.period, row.account_key, row.address, who, now
        )
        queue_portal_mails(office, books, mails)
        return True
    if user.state is UserState.INVITED:
        add_link(books, user.number, row.account_key, LinkProof.STAFF, now, who)
        return True
    return False


def _uninvited(district: str) -> sa.Select[Any]:
    """Select accounts with an address on file that no portal user, here or there, is linked to."""
    row, mail = account.c, email_in_force.c
    first = (
        sa.select(mail.account_key, mail.period, _FIRST.label("position"))
        .where(mail.fault.is_(None))
        .group_by(mail.account_key, mail.period)
        .subquery("first")
    )
    is_linked = sa.exists().where(account_link.c.account_key == row.account_key)
    is_known = (
        sa.exists()
        .where(portal_link.c.period == row.period, portal_link.c.account_key == row.account_key)
        .where(web_user.c.mailbox == portal_link.c.mailbox)
    )
    query = (
        sa.select(row.period, row.account_key, mail.address)
        .join(balance_due, stands_with(account))
        .join(first, sa.and_(first.c.account_key == row.account_key, first.c.period == row.period))
        .join(
            email_in_force,
            sa.and_(
                mail.period == row.period,
                mail.account_key == row.account_key,
                mail.position == first.c.position,
            ),
        )
        .where(row.status == AccountStatus.ACTIVE, ~is_linked, ~is_known)
        .order_by(row.account_key)
    )
    if district:
        query = query.join(account_search, account_search.c.account_key == row.account_key).where(
            account_search.c.district == district
        )
    return query
