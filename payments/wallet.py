"""The wallet of a portal user: which payment methods may pay (rules 117-119)."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, cosigner, payment_method, portal_link
from domain.failures import Misuse
from domain.payments import MethodKind

LAST4 = 4


@dataclass(frozen=True, slots=True)
class Method:
    """A saved card or bank account and whose it is."""

    portal_user: str = field(repr=False)  # the mailbox, its case folded
    token: str = field(repr=False)
    kind: MethodKind
    last4: str


def find_method(books: Connection, run: str, portal_user: str, wanted: str) -> Method:
    """
    Find a payment method in one portal user's wallet, as a run's export holds it.

    `wanted` is its token, or its last four digits where just one in that wallet ends so. What is
    in somebody else's wallet is not found: it belongs to them, a clerk's included (rule 119).
    Raises Misuse; what was typed is not repeated, for it may be a card number.
    """
    rows = payment_method.c
    owner = portal_user.strip().casefold()
    if not owner:
        raise Misuse("Say whose payment method it is: a portal user's e-mail address.", "no-user")
    query = sa.select(rows.portal_user, rows.token, rows.kind, rows.last4)
    wallet = [
        Method(*row)
        for row in books.execute(
            query.where(rows.run == run, rows.portal_user == owner).order_by(rows.token)
        )
    ]
    if not wallet:
        raise Misuse(
            "That portal user has no payment method in the newest export; the customer adds one in "
            "the portal first.",
            "no-wallet",
        )
    return _choose(wallet, wanted.strip())


def _choose(wallet: list[Method], wanted: str) -> Method:
    by_token = [method for method in wallet if method.token == wanted]
    by_last4 = [method for method in wallet if method.last4 == wanted and len(wanted) == LAST4]
    found = by_token or by_last4
    if len(found) > 1:
        raise Misuse(
            f"{len(found)} payment methods in that wallet end in {wanted}; give the token.",
            "several-methods",
        )
    if not found:
        raise Misuse(
            "That portal user's wallet has no such payment method; give its token or its last four "
            "digits. A method in somebody else's wallet is theirs alone.",
            "unknown-method",
        )
    return found[0]


def is_linked(books: Connection, run: str, account_key: str, portal_user: str) -> bool:
    """Tell whether a portal user sees the account: linked to it, or its landlord (rule 133)."""
    links = portal_link.c
    linked = sa.select(links.mailbox).where(
        links.run == run, links.account_key == account_key, links.mailbox == portal_user
    )
    lets = (
        sa.select(cosigner.c.cosigner_id)
        .join(
            account,
            sa.and_(account.c.run == run, account.c.cosigner_id == cosigner.c.cosigner_id),
        )
        .where(
            cosigner.c.run == run,
            cosigner.c.portal_user == portal_user,
            account.c.account_key == account_key,
        )
    )
    return any(books.execute(query).first() is not None for query in (linked, lets))
