"""Lists of the portal: its users, their links and wallets, and what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from database.definitions.account_changes import column_in_force
from database.definitions.identity import account_link, activity, wallet_method, web_user
from database.definitions.in_force import (
    landlord_in_force,
    link_in_force,
    links_now,
    wallet_in_force,
)
from database.queries.balances import stands_with
from database.runs import newest_periods
from database.tables import (
    account,
    balance_due,
    portal_user,
    suspended_method,
)

Select = sa.Select[Any]


def portal_users(mailboxes: Sequence[str] | None = None) -> Select:
    """
    Select every portal user, registered with us or named by the newest closed export, once.

    `state` of one who never registered here is `exported`; `accounts` are those linked now. Of
    these mailboxes, or of all.
    """
    links = _links(mailboxes=mailboxes).subquery("links")
    counted = (
        sa.select(
            links.c._mailbox.label("mailbox"),
            sa.func.count(sa.distinct(links.c._account_key)).label("accounts"),
        )
        .group_by(links.c._mailbox)
        .subquery("counted")
    )
    registered = _of(web_user.c.mailbox, mailboxes, _registered())
    exported = _of(portal_user.c.mailbox, mailboxes, _exported())
    users = sa.union_all(registered, exported).subquery("users")
    return sa.select(
        users.c.portal_user,
        users.c.name,
        users.c.state,
        sa.func.coalesce(counted.c.accounts, 0).label("accounts"),
        users.c.phone,
        users.c.made_at,
        users.c.seen_at,
        users.c.source,
        users.c._mailbox,
    ).outerjoin_from(users, counted, counted.c.mailbox == users.c._mailbox)


def bare_users() -> Select:
    """Select their mailboxes."""
    exported = _exported().subquery("exported")
    both = sa.union_all(
        sa.select(web_user.c.mailbox.label("_mailbox")), sa.select(exported.c._mailbox)
    )
    return sa.select(both.subquery("users"))


def portal_links(accounts: Sequence[str] | None = None) -> Select:
    """
    Select who is linked to which account now, with what the newest closed period says.

    `relation` is portal-user or landlord (rules 25, 133); `paperless` that user's own choice. Of
    these accounts by their keys, or of all.
    """
    links = _links(accounts).subquery("links")
    return (
        sa.select(
            links.c.account,
            links.c.name,
            links.c.portal_user,
            links.c.relation,
            links.c.paperless,
            account_link.c.linked_at,
            account_link.c.linked_by,
            account_link.c.nickname,
            links.c.period,
            links.c._account_key,
        )
        .select_from(links)
        .outerjoin(web_user, web_user.c.mailbox == links.c._mailbox)
        .outerjoin(
            account_link,
            sa.and_(
                account_link.c.user_number == web_user.c.number,
                account_link.c.account_key == links.c._account_key,
            ),
        )
    )


def bare_links() -> Select:
    """Select the same by account, relation and address: no name is looked up."""
    stands, lets, links = balance_due.c, landlord_in_force.c, links_now().c
    users = sa.select(
        links.account_key.label("_account_key"),
        sa.literal("portal-user").label("relation"),
        links.address.label("portal_user"),
    )
    landlords = (
        sa.select(stands.account_key, sa.literal("landlord"), lets.portal_user)
        .join(account, stands_with(account))
        .join(
            landlord_in_force,
            sa.and_(lets.period == account.c.period, lets.cosigner_id == account.c.cosigner_id),
        )
        .where(account.c.cosigner_id != "")
    )
    return sa.select(sa.union_all(users, landlords).subquery("links"))


def payment_methods() -> Select:
    """Select the wallets as the newest closed period and the portal have them, no tokens."""
    wallet = wallet_in_force.c
    once = _once(wallet.token, wallet.period)
    return (
        sa.select(
            wallet.portal_user,
            wallet.kind.label("method"),
            wallet.last4,
            sa.func.coalesce(wallet_method.c.brand, "").label("brand"),
            wallet_method.c.expires_on,
            sa.case((wallet_method.c.token.is_not(None), "portal"), else_="export").label("source"),
            wallet_method.c.added_at,
            suspended_method.c.since.label("suspended_at"),
            suspended_method.c.reason.label("suspended_because"),
            sa.func.lower(wallet.portal_user).label("_mailbox"),
            wallet.token.label("_token"),
        )
        .select_from(wallet_in_force)
        .join(once, sa.and_(once.c.name == wallet.token, once.c.period == wallet.period))
        .outerjoin(wallet_method, wallet_method.c.token == wallet.token)
        .outerjoin(suspended_method, suspended_method.c.method_token == wallet.token)
    )


def activities() -> Select:
    """Select what happened in the portal (rules 166-168); `who` is the customer, or staff."""
    rows = activity.c
    return (
        sa.select(
            rows.at,
            web_user.c.address.label("portal_user"),
            rows.kind,
            sa.func.coalesce(balance_due.c.account, rows.account_key).label("account"),
            rows.detail,
            rows.by.label("who"),
            rows.account_key.label("_account_key"),
            web_user.c.mailbox.label("_mailbox"),
            rows.number.label("_number"),
        )
        .join(web_user, web_user.c.number == rows.user_number)
        .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
    )


def _links(accounts: Sequence[str] | None = None, mailboxes: Sequence[str] | None = None) -> Select:
    """Select every account's links in force in its newest closed period, landlords too."""
    of_account = stands_with(account)
    users = (
        sa.select(
            account.c.account,
            column_in_force(account, "name").label("name"),
            link_in_force.c.address.label("portal_user"),
            sa.literal("portal-user").label("relation"),
            link_in_force.c.paperless,
            account.c.period.label("period"),
            account.c.account_key.label("_account_key"),
            link_in_force.c.mailbox.label("_mailbox"),
        )
        .select_from(balance_due)
        .join(account, of_account)
        .join(
            link_in_force,
            sa.and_(
                link_in_force.c.period == account.c.period,
                link_in_force.c.account_key == account.c.account_key,
            ),
        )
    )
    landlords = (
        sa.select(
            account.c.account,
            column_in_force(account, "name").label("name"),
            landlord_in_force.c.portal_user,
            sa.literal("landlord").label("relation"),
            sa.null().label("paperless"),
            account.c.period.label("period"),
            account.c.account_key.label("_account_key"),
            sa.func.lower(landlord_in_force.c.portal_user).label("_mailbox"),
        )
        .select_from(balance_due)
        .join(account, of_account)
        .join(
            landlord_in_force,
            sa.and_(
                landlord_in_force.c.period == account.c.period,
                landlord_in_force.c.cosigner_id == account.c.cosigner_id,
            ),
        )
        .where(account.c.cosigner_id != "")
    )
    users = _of(link_in_force.c.account_key, accounts, users)
    users = _of(link_in_force.c.mailbox, mailboxes, users)
    landlords = _of(account.c.account_key, accounts, landlords)
    landlords = _of(sa.func.lower(landlord_in_force.c.portal_user), mailboxes, landlords)
    return sa.select(sa.union_all(users, landlords).subquery("both"))


def _of(column: sa.ColumnElement[str], values: Sequence[str] | None, rows: Select) -> Select:
    """Narrow to rows that have one of these values, as early as it can be done; None: all."""
    return rows if values is None else rows.where(column.in_(values))


def _registered() -> Select:
    rows = web_user.c
    exported = portal_user.alias("exported")
    once = _once(exported.c.mailbox, exported.c.period)
    named = sa.and_(portal_user.c.mailbox == once.c.name, portal_user.c.period == once.c.period)
    query = sa.select(
        rows.address.label("portal_user"),
        sa.func.coalesce(portal_user.c.name, "").label("name"),
        sa.cast(rows.state, sa.String).label("state"),
        rows.phone,
        rows.made_at,
        rows.seen_at,
        sa.literal("portal").label("source"),
        rows.mailbox.label("_mailbox"),
    )
    return query.outerjoin(once, once.c.name == rows.mailbox).outerjoin(portal_user, named)


def _exported() -> Select:
    rows = portal_user.c
    exported = portal_user.alias("of_newest")
    once = _once(exported.c.mailbox, exported.c.period)
    is_registered = sa.exists().where(web_user.c.mailbox == rows.mailbox)
    never = sa.type_coerce(sa.null(), web_user.c.made_at.type)
    query = sa.select(
        rows.address.label("portal_user"),
        rows.name,
        sa.literal("exported").label("state"),
        sa.literal("").label("phone"),
        sa.cast(never, web_user.c.made_at.type).label("made_at"),
        sa.cast(never, web_user.c.seen_at.type).label("seen_at"),
        sa.literal("export").label("source"),
        rows.mailbox.label("_mailbox"),
    )
    is_newest = sa.and_(once.c.name == rows.mailbox, once.c.period == rows.period)
    return query.join(once, is_newest).where(~is_registered)


def _once(name: sa.ColumnElement[Any], run: sa.ColumnElement[str]) -> sa.Subquery:
    """Select in which of these periods each user or method stands last."""
    return (
        sa.select(name.label("name"), sa.func.max(run).label("period"))
        .where(run.in_(newest_periods()))
        .group_by(name)
        .subquery()
    )
