"""
What is in force of the billing system's rows and our own: views, so that all read one set.

A portal user's link, wallet and landlords stand in the export of a period and in our tables. The
newer act wins: what was done here stays until an export that was imported later says otherwise,
and a payment method that was added here is in every period's wallet (ruling 25). Of a portal user
who was deleted nothing is in force, whoever says so (rule 161). What the feed told of an account
stands until an export that was written later (contract 6).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.account_changes import accounts_in_force
from database.tables import account, account_email, metadata, scheduled_payment
from database.types import one_of
from domain.payments import MethodKind

link_in_force = sa.table(
    "link_in_force",
    sa.column("period", sa.String),
    sa.column("account_key", sa.String),
    sa.column("mailbox", sa.String),
    sa.column("address", sa.String),
    sa.column("paperless", sa.Boolean),
    sa.column("fault", sa.String),
)
landlord_in_force = sa.table(
    "landlord_in_force",
    sa.column("period", sa.String),
    sa.column("cosigner_id", sa.String),
    sa.column("portal_user", sa.String),
    sa.column("fault", sa.String),
)
wallet_in_force = sa.table(
    "wallet_in_force",
    sa.column("period", sa.String),
    sa.column("token", sa.String),
    sa.column("portal_user", sa.String),
    sa.column("kind", one_of(MethodKind, "kind")),
    sa.column("last4", sa.String),
)

email_in_force = sa.table(
    "email_in_force",
    *(sa.column(column.name, column.type) for column in account_email.c),
)
account_now = sa.table(
    "account_now", *(sa.column(column.name, column.type) for column in account.c)
)

_SAID_AT = "COALESCE(r.written_at, r.imported_at)"  # when the export's word was true
_MAY_SIGN_IN = "u.state IN ('active', 'locked')"  # a lock leaves what is in force (ruling 11)


def _links(beside: str = "", places: str = "account") -> str:
    """Write who is linked: to the accounts of each export (`places`), which those are `beside`."""
    return f"""
        SELECT l.period, l.account_key, l.mailbox, l.address,
            CASE WHEN o.paperless IS NOT NULL AND o.paperless_at >= r.imported_at
                THEN o.paperless ELSE l.paperless END AS paperless, l.fault
        FROM portal_link l{beside}
        JOIN bill_run r ON r.period = l.period
        LEFT JOIN web_user u ON u.mailbox = l.mailbox
        LEFT JOIN account_link o ON o.user_number = u.number AND o.account_key = l.account_key
        WHERE (o.unlinked_at IS NULL OR o.unlinked_at < r.imported_at)
            AND (u.state IS NULL OR u.state <> 'deleted')
        UNION ALL
        SELECT a.period, o.account_key, u.mailbox, u.address, COALESCE(o.paperless, FALSE), NULL
        FROM account_link o
        JOIN web_user u ON u.number = o.user_number
        JOIN {places} a ON a.account_key = o.account_key
        WHERE o.unlinked_at IS NULL AND {_MAY_SIGN_IN} AND NOT EXISTS (
            SELECT 1 FROM portal_link l WHERE l.period = a.period
                AND l.account_key = o.account_key AND l.mailbox = u.mailbox)"""


VIEWS: dict[str, str | sa.Select[Any]] = {
    "account_now": accounts_in_force(),
    "email_in_force": f"""
        SELECT e.period, e.account_key, e.position, e.address, e.fault
        FROM account_email e
        JOIN bill_run r ON r.period = e.period
        WHERE NOT EXISTS (
            SELECT 1 FROM account_change c WHERE c.account_key = e.account_key
                AND c.field = 'email' AND c.told_at >= {_SAID_AT})
        UNION ALL
        SELECT a.period, c.account_key, t.position, t.address, t.fault
        FROM told_address t
        JOIN account_change c ON c.id = t.change
        JOIN account a ON a.account_key = c.account_key
        JOIN bill_run r ON r.period = a.period
        WHERE c.told_at >= {_SAID_AT} AND NOT EXISTS (
            SELECT 1 FROM account_change n WHERE n.account_key = c.account_key
                AND n.field = 'email'
                AND (n.told_at > c.told_at OR n.told_at = c.told_at AND n.id > c.id))""",
    "scheduled_payment": f"""
        SELECT {", ".join(scheduled_payment.c.keys())} FROM gateway_payment
        WHERE kind = 'autopay'""",
    "link_in_force": _links(),
    "landlord_in_force": f"""
        SELECT c.period, c.cosigner_id, c.portal_user, c.fault
        FROM cosigner c
        JOIN bill_run r ON r.period = c.period
        LEFT JOIN web_user u ON u.mailbox = LOWER(c.portal_user)
        LEFT JOIN landlord_link k ON k.user_number = u.number AND k.cosigner_id = c.cosigner_id
        WHERE c.portal_user <> '' AND (u.state IS NULL OR u.state <> 'deleted')
            AND (k.unlinked_at IS NULL OR k.unlinked_at < r.imported_at)
        UNION ALL
        SELECT c.period, c.cosigner_id, u.address, NULL
        FROM landlord_link k
        JOIN web_user u ON u.number = k.user_number
        JOIN cosigner c ON c.cosigner_id = k.cosigner_id
        WHERE k.unlinked_at IS NULL AND {_MAY_SIGN_IN} AND LOWER(c.portal_user) <> u.mailbox""",
    "wallet_in_force": """
        SELECT p.period, p.token, p.portal_user, p.kind, p.last4
        FROM payment_method p
        JOIN bill_run r ON r.period = p.period
        LEFT JOIN wallet_method w ON w.token = p.token
        WHERE (w.removed_at IS NULL OR w.removed_at < r.imported_at) AND NOT EXISTS (
            SELECT 1 FROM web_user u WHERE u.mailbox = p.portal_user AND u.state = 'deleted')
        UNION ALL
        SELECT r.period, w.token, u.mailbox, w.kind, w.last4
        FROM wallet_method w
        JOIN web_user u ON u.number = w.user_number
        CROSS JOIN bill_run r
        WHERE w.removed_at IS NULL AND u.state <> 'deleted' AND NOT EXISTS (
            SELECT 1 FROM payment_method p WHERE p.period = r.period AND p.token = w.token)""",
}


def links_now() -> sa.Subquery:
    """
    Select of link_in_force what belongs to the period that each account stands with.

    The view makes the links of every period there is: who asks for everybody's asks here.
    """
    stands = "(SELECT account_key, period FROM balance_due WHERE period IS NOT NULL)"
    beside = f" JOIN {stands} b ON b.period = l.period AND b.account_key = l.account_key"
    return sa.text(_links(beside, stands)).columns(*link_in_force.c).subquery("link_now")


@sa.event.listens_for(metadata, "after_create")
def _make_views(_metadata: sa.MetaData, connection: sa.Connection, **_options: Any) -> None:
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {_written(query, connection.dialect)}")


def _written(query: str | sa.Select[Any], dialect: sa.Dialect) -> str:
    if isinstance(query, str):
        return query
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


@sa.event.listens_for(metadata, "before_drop")
def _drop_views(_metadata: sa.MetaData, connection: sa.Connection, **_options: Any) -> None:
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
