"""How a customer's bills come: by e-mail or on paper, both flags in one change (rules 31-36)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import account_link, paperless_choice
from database.definitions.in_force import (
    account_now,
    email_in_force,
    landlord_in_force,
    link_in_force,
)
from database.queries.portal.bound_methods import newest_runs
from database.queries.portal.choices import record_paperless
from database.tables import bill_run
from domain.identity import LinkProof, mailbox_of
from identity.account_links import add_link
from identity.activity import record_activity
from identity.sessions import SignedIn
from rules.mail.delivery import is_paperless

CONSENT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class BillDelivery:
    """
    How an account's bills come now.

    The two flags are separate, and both may be set or unset (ruling 1). `others` is how many
    further mailboxes get the bill by e-mail (rules 25-28), `is_reached` whether any does at all:
    a paperless bill that no mailbox gets is printed. `chosen_at` is the newest choice that was
    made here and the billing system's export does not show yet.
    """

    by_mail: bool
    on_paper: bool
    others: int
    chosen_at: datetime | None = None
    is_reached: bool = True


def delivery_of(books: Connection, key: str, address: str) -> BillDelivery:
    """Return how an account's bills come: the export's flags, or a newer choice (ruling 25)."""
    period = newest_runs(books, [key])[key]
    rows, mailbox = account_now.c, mailbox_of(address)
    mine = sa.and_(rows.period == period, rows.account_key == key)
    flags = books.execute(
        sa.select(rows.ebill, rows.send_paper, rows.cosigner_id, bill_run.c.imported_at)
        .join(bill_run, bill_run.c.period == rows.period)
        .where(mine)
    ).one()
    links = books.execute(
        sa.select(link_in_force.c.mailbox, link_in_force.c.paperless, link_in_force.c.fault).where(
            link_in_force.c.period == period, link_in_force.c.account_key == key
        )
    ).all()
    by_mail = is_paperless(flags.ebill, (link.paperless for link in links))
    choice = books.execute(
        sa.select(paperless_choice)
        .where(
            paperless_choice.c.account_key == key,
            paperless_choice.c.chosen_at >= flags.imported_at,
        )
        .order_by(paperless_choice.c.number.desc())
        .limit(1)
    ).one_or_none()
    record = sa.select(email_in_force.c.address).where(
        email_in_force.c.period == period,
        email_in_force.c.account_key == key,
        email_in_force.c.fault.is_(None),
    )
    mailboxes = {mailbox_of(one) for one in books.scalars(record)}
    mailboxes |= {link.mailbox for link in links if link.fault is None}
    others = len(mailboxes - {mailbox})
    is_reached = bool(mailboxes) or _has_landlord(books, period, flags.cosigner_id)
    if choice is None:
        return BillDelivery(by_mail, flags.send_paper, others, None, is_reached)
    by_mail, at = choice.paperless, choice.chosen_at
    return BillDelivery(by_mail, not by_mail, others, at, is_reached)


def _has_landlord(books: Connection, period: str, cosigner_id: str) -> bool:
    lets = landlord_in_force.c
    query = sa.select(lets.portal_user).where(
        lets.period == period, lets.cosigner_id == cosigner_id, lets.fault.is_(None)
    )
    return bool(cosigner_id) and books.execute(query.limit(1)).first() is not None


def choose_paperless(
    books: Connection,
    who: SignedIn,
    key: str,
    number: str,
    paperless: bool,
    consent: str,
    now: datetime,
) -> None:
    """
    Take down a choice with the text that was agreed to, and tell the billing system of it.

    The choice holds for the customer's own link from this moment, and survives every export that
    was imported before it.
    """
    row = account_link.c
    mine = sa.and_(row.user_number == who.number, row.account_key == key)
    is_linked = sa.select(row.number).where(mine, row.unlinked_at.is_(None))
    if books.scalar(is_linked) is None:  # linked by the export alone: the link is ours, too, now
        add_link(books, who.number, key, LinkProof.EXPORT, now, "the billing system")
    books.execute(account_link.update().where(mine).values(paperless=paperless, paperless_at=now))
    books.execute(
        paperless_choice.insert().values(
            user_number=who.number,
            account_key=key,
            paperless=paperless,
            chosen_at=now,
            consent_version=CONSENT_VERSION if consent else "",
            consent_text=consent,
        )
    )
    record_paperless(books, number, is_paperless=paperless, now=now, by=who.who)
    kind = "paperless chosen" if paperless else "paper bills chosen"
    record_activity(books, who.number, kind, now, account_key=key)
    record_audit(books, now, who.who, kind, number)
