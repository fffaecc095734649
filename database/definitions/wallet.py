"""The payment method that a row names: as the wallet in force knows it, and its brand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from database.definitions.checkout import guest_method
from database.definitions.identity import wallet_method, web_user
from database.tables import bill_run, payment_method
from domain.identity import UserState

_GONE = (
    UserState.DELETED
)  # anybody else's counts: a lock leaves it (ruling 11), an invited one pays


@dataclass(frozen=True, slots=True)
class MethodInForce:
    """What a wallet says of one method, NULL where it knows none of that token, and its joins."""

    kind: sa.ColumnElement[Any]
    last4: sa.ColumnElement[Any]
    portal_user: sa.ColumnElement[Any]
    brand: sa.ColumnElement[str]  # empty where nobody told it
    joins: tuple[tuple[sa.FromClause, sa.ColumnElement[bool]], ...]

    def joined_to(self, query: sa.Select[Any]) -> sa.Select[Any]:
        for table, of_the_row in self.joins:
            query = query.outerjoin(table, of_the_row)
        return query


def method_in_force(period: Any, token: sa.ColumnElement[str]) -> MethodInForce:
    """
    Give the method that a row names, as it is in force in the wallet of a period (ruling 25).

    It is what the view `wallet_in_force` says, which is for whoever reads a whole wallet: SQLite
    makes all rows of such a view before it joins them, a city's wallets for each batch of letters
    or of draws.
    """
    exported, added = payment_method.alias("exported_method"), wallet_method.alias("added_method")
    owner, holder = web_user.alias("method_owner"), web_user.alias("method_holder")
    run = bill_run.alias("method_run")
    is_kept = sa.or_(added.c.removed_at.is_(None), added.c.removed_at < run.c.imported_at)
    of_export = sa.and_(exported.c.token.is_not(None), is_kept, owner.c.mailbox.is_(None))
    of_office = sa.and_(
        exported.c.token.is_(None), added.c.removed_at.is_(None), holder.c.state != _GONE
    )
    is_deleted = sa.and_(owner.c.mailbox == exported.c.portal_user, owner.c.state == _GONE)

    def either(there: sa.ColumnElement[Any], here: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.type_coerce(sa.case((of_export, there), (of_office, here)), there.type)

    return MethodInForce(
        either(exported.c.kind, added.c.kind),
        either(exported.c.last4, added.c.last4),
        either(exported.c.portal_user, holder.c.mailbox),
        sa.func.coalesce(added.c.brand, sa.literal_column("''")),
        (
            (run, run.c.period == period),
            (exported, sa.and_(exported.c.period == period, exported.c.token == token)),
            (added, added.c.token == token),
            (owner, is_deleted),
            (holder, holder.c.number == added.c.user_number),
        ),
    )


def brand_of(token: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """
    Give the brand, or the bank, of the method that a row's token stands for; empty where none is.

    A method that was taken out of its wallet keeps it, so that what was paid with it has its name;
    a guest's has one as well.
    """
    added, given = wallet_method.alias("known_method"), guest_method.alias("known_guest_method")
    found = (
        sa.select(known.c.brand).where(known.c.token == token).scalar_subquery()
        for known in (added, given)
    )
    return sa.func.coalesce(*found, sa.literal_column("''"))
