"""Lists of landlords: who they are in the portal, and which accounts each sees (rules 133-135)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.identity import landlord_link, web_user
from database.definitions.in_force import landlord_in_force
from database.queries.balances import stands_with
from database.runs import newest_periods
from database.tables import account, balance_due, cosigner
from reporting.lists.people import customers

Select = sa.Select[Any]


def landlords() -> Select:
    """
    Select every landlord of the newest closed exports with the portal users that they are.

    `state` is sees, ended (by the office) or nobody: then no portal user is that landlord.
    `accounts` are all of that landlord's.
    """
    newest = _newest().subquery("newest")
    said = sa.union_all(_seeing(newest), _ended(newest), _nobody(newest)).subquery("said")
    counted = _counted().subquery("counted")
    return sa.select(
        said.c.cosigner_id,
        said.c.landlord,
        said.c.portal_user,
        said.c.state,
        sa.func.coalesce(counted.c.accounts, 0).label("accounts"),
        said.c.source,
        said.c.linked_at,
        said.c.linked_by,
        said.c.ended_at,
        said.c.ended_by,
        said.c.reason,
        (said.c.mailbox + sa.literal(" ") + said.c.cosigner_id).label("_key"),
    ).outerjoin_from(said, counted, counted.c.cosigner_id == said.c.cosigner_id)


def landlord_accounts() -> Select:
    """Select what each landlord sees: every account of theirs, as its newest period has it."""
    newest, known = _newest().subquery("newest"), customers().subquery("known")
    lets = landlord_in_force.c
    return (
        sa.select(
            newest.c.cosigner_id,
            newest.c.landlord,
            lets.portal_user,
            known.c.account,
            known.c.name,
            known.c.service_address,
            known.c.status,
            known.c.amount_due,
            known.c.balance,
            known.c.period,
            known.c._account_key,
        )
        .select_from(known)
        .join(
            account,
            sa.and_(
                account.c.period == known.c.period, account.c.account_key == known.c._account_key
            ),
        )
        .join(newest, newest.c.cosigner_id == account.c.cosigner_id)
        .join(
            landlord_in_force,
            sa.and_(lets.period == account.c.period, lets.cosigner_id == account.c.cosigner_id),
        )
    )


def _newest() -> Select:
    """Select each landlord's id and name once, of the last newest period that has it."""
    stands = (
        sa.select(cosigner.c.cosigner_id, sa.func.max(cosigner.c.period).label("period"))
        .where(cosigner.c.period.in_(newest_periods()))
        .group_by(cosigner.c.cosigner_id)
        .subquery("stands")
    )
    return sa.select(
        cosigner.c.cosigner_id, cosigner.c.name.label("landlord"), cosigner.c.period
    ).join(
        stands,
        sa.and_(
            stands.c.cosigner_id == cosigner.c.cosigner_id, stands.c.period == cosigner.c.period
        ),
    )


def _seeing(newest: sa.Subquery) -> Select:
    lets, own = landlord_in_force.c, landlord_link.c
    mailbox = sa.func.lower(lets.portal_user)
    return (
        sa.select(
            newest.c.cosigner_id,
            newest.c.landlord,
            lets.portal_user,
            sa.literal("sees").label("state"),
            sa.case((own.number.is_(None), "export"), else_="office").label("source"),
            own.linked_at,
            sa.func.coalesce(own.linked_by, "the billing system").label("linked_by"),
            own.unlinked_at.label("ended_at"),
            sa.func.coalesce(own.unlinked_by, "").label("ended_by"),
            sa.func.coalesce(own.reason, "").label("reason"),
            mailbox.label("mailbox"),
        )
        .select_from(newest)
        .join(
            landlord_in_force,
            sa.and_(lets.cosigner_id == newest.c.cosigner_id, lets.period == newest.c.period),
        )
        .outerjoin(web_user, web_user.c.mailbox == mailbox)
        .outerjoin(
            landlord_link,
            sa.and_(
                own.user_number == web_user.c.number,
                own.cosigner_id == newest.c.cosigner_id,
                own.unlinked_at.is_(None),
            ),
        )
    )


def _ended(newest: sa.Subquery) -> Select:
    """Select what the office ended and no later export has again."""
    own = landlord_link.c
    return (
        sa.select(
            newest.c.cosigner_id,
            newest.c.landlord,
            web_user.c.address,
            sa.literal("ended"),
            sa.case((own.linked_by == "the billing system", "export"), else_="office"),
            own.linked_at,
            own.linked_by,
            own.unlinked_at,
            own.unlinked_by,
            own.reason,
            web_user.c.mailbox,
        )
        .select_from(newest)
        .join(landlord_link, own.cosigner_id == newest.c.cosigner_id)
        .join(web_user, web_user.c.number == own.user_number)
        .where(own.unlinked_at.is_not(None), ~_is_seen(newest, web_user.c.mailbox))
    )


def _nobody(newest: sa.Subquery) -> Select:
    never = sa.cast(sa.type_coerce(sa.null(), web_user.c.made_at.type), web_user.c.made_at.type)
    return sa.select(
        newest.c.cosigner_id,
        newest.c.landlord,
        sa.literal(""),
        sa.literal("nobody"),
        sa.literal(""),
        never.label("linked_at"),
        sa.literal(""),
        never.label("ended_at"),
        sa.literal(""),
        sa.literal(""),
        sa.literal(""),
    ).where(~_is_seen(newest))


def _is_seen(
    newest: sa.Subquery, mailbox: sa.ColumnElement[str] | None = None
) -> sa.ColumnElement[bool]:
    """Tell whether somebody is this landlord now, or this mailbox is."""
    lets = landlord_in_force.c
    seen = sa.exists().where(
        lets.cosigner_id == newest.c.cosigner_id, lets.period == newest.c.period
    )
    return seen if mailbox is None else seen.where(sa.func.lower(lets.portal_user) == mailbox)


def _counted() -> Select:
    return (
        sa.select(account.c.cosigner_id, sa.func.count().label("accounts"))
        .select_from(balance_due)
        .join(account, stands_with(account))
        .where(account.c.cosigner_id != "")
        .group_by(account.c.cosigner_id)
    )
