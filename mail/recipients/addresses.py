"""The addresses that a run's export knows: of customers, their portal users and landlords."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.in_force import email_in_force, landlord_in_force, link_in_force
from domain.deliveries import Recipient
from rules.mail.delivery import choose_recipients


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """
    Addresses by account key, landlords' by cosigner.

    `record` are the valid ones of the customer record, in its order; `links` those of the linked
    portal users, each with its paperless choice, which counts where the address is none (None).
    """

    record: Mapping[str, list[str]]
    links: Mapping[str, list[tuple[str | None, bool]]]
    landlords: Mapping[str, list[str]]

    def of(self, account_key: str, cosigner_id: str) -> tuple[Recipient, ...]:
        """Return everybody who belongs to an account, one a mailbox (rules 25-28)."""
        users = [address for address, _ in self.links.get(account_key, ()) if address is not None]
        record = self.record.get(account_key, ())
        return choose_recipients(record, users, self.landlords.get(cosigner_id, ()))


@dataclass(frozen=True, slots=True)
class Some:
    """A chunk of accounts, by their keys and those of their cosigners."""

    keys: Sequence[str]
    cosigners: Sequence[str]


def read_addresses(
    books: Connection, period: str, some: Some | None = None, *, to_landlords: bool = True
) -> KnownAddresses:
    """
    Read the addresses of all accounts of a run, or of some: three queries, however many.

    Those of a chunk are looked up by key: joined to what the chunk was chosen by, of which
    PostgreSQL expects few, they took it hours.
    """
    record = (
        sa.select(email_in_force.c.account_key, email_in_force.c.address)
        .where(email_in_force.c.period == period, email_in_force.c.fault.is_(None))
        .order_by(email_in_force.c.account_key, email_in_force.c.position)
    )
    links = (
        sa.select(
            link_in_force.c.account_key,
            sa.case((link_in_force.c.fault.is_(None), link_in_force.c.address)),
            link_in_force.c.paperless,
        )
        .where(link_in_force.c.period == period)
        .order_by(link_in_force.c.account_key, link_in_force.c.mailbox)
    )
    if some is not None:
        record = record.where(email_in_force.c.account_key.in_(some.keys))
        links = links.where(link_in_force.c.account_key.in_(some.keys))
    return KnownAddresses(
        {key: [one for (one,) in found] for key, found in _grouped(books, record).items()},
        _grouped(books, links),
        _landlords(books, period, some) if to_landlords else {},
    )


def _grouped(books: Connection, select: sa.Select[Any]) -> dict[str, list[Any]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for key, *values in books.execute(select):
        groups[key].append(tuple(values))
    return groups


def _landlords(books: Connection, period: str, some: Some | None) -> dict[str, list[str]]:
    """Return the portal users of each cosigner who has any (rule 133)."""
    rows = landlord_in_force.c
    query = sa.select(rows.cosigner_id, rows.portal_user).where(
        rows.period == period, rows.fault.is_(None)
    )
    if some is not None:
        query = query.where(rows.cosigner_id.in_(some.cosigners))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for cosigner_id, portal_user in books.execute(query):
        found[cosigner_id].append(portal_user)
    return found
