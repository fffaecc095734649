"""Mails of autopay that is set up or ended, by staff or by whoever pays (rules 60, 64, 66)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import enrollment
from domain.identity import PortalMail
from mail.rendering.access import ENROLLED
from office.procedures.mailing.portal_mail import queue_portal_mails
from payments.enrollment.facts import EnrollmentFacts

if TYPE_CHECKING:
    from office.equipment.office import Office


def mail_enrolled(
    office: Office, books: Connection, standing: EnrollmentFacts, address: str, user: int
) -> None:
    """
    Mail the text that was agreed to, in the transaction that enrolls the account.

    Whoever pays keeps a copy of what they let us draw, wherever they agreed to it (12 CFR
    1005.10(b)); `user` is their portal user's number, 0 where they have none.
    """
    rows = enrollment.c
    mine = sa.and_(rows.account_key == standing.key, rows.cancelled_at.is_(None))
    number = books.scalar(sa.select(sa.func.max(rows.id)).where(mine))
    mail = PortalMail(
        "autopay", address, user, account=standing.account, about=f"{ENROLLED}/{number}"
    )
    queue_portal_mails(office, books, [mail])


def mail_ended(
    office: Office, books: Connection, standing: EnrollmentFacts, address: str, user: int
) -> None:
    """Mail that autopay has ended to whoever paid, in the transaction that ends it."""
    mail = PortalMail("autopay-ended", address, user, account=standing.account)
    queue_portal_mails(office, books, [mail])
