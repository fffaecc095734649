"""Mass mails in the books: what was asked for, written down once."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.books import Database
from database.tables import delivery, mass_mailing, mass_recipient
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Misuse
from mail.communications import FOLDER, Store
from mail.mass_request import Request
from mail.outbox import count_by_status
from mail.standing import WAITING


@dataclass(frozen=True, slots=True)
class Mailing:
    """A mass mail in the books."""

    number: int
    day: date
    subject: str
    body: str = field(repr=False)
    audience: str = field(repr=False)
    communication: int | None
    attachment_name: str | None
    attachment_sha256: str | None
    resolved_at: datetime | None
    left_out: str | None
    queued_until: str | None
    queued_at: datetime | None

    @property
    def form(self) -> str:
        return form_of(self.number)

    @property
    def attachment_path(self) -> str:
        return f"{FOLDER}/mailing-{self.number}-{(self.attachment_sha256 or '')[:16]}.pdf"

    def counted_out(self) -> dict[str, int]:
        """Return how many mailboxes were left out, by why, and accounts without an address."""
        counted: dict[str, int] = json.loads(self.left_out or "{}")
        return counted


_COLUMNS = [mass_mailing.c[name] for name in Mailing.__dataclass_fields__]


def form_of(number: int) -> str:
    """Name the deliveries of a mailing: the form finds its text again."""
    return f"{MessageKind.COMMUNICATION}-{number}"


def get_mailing(database: Database, number: int) -> Mailing:
    """Return a mailing; raises Misuse where there is none of that number."""
    found = _find(database, mass_mailing.c.number == number)
    if found is None:
        raise Misuse(f"There is no mailing {number}; see `billclose list mailings`.")
    return found


def lock_mailing(books: Connection, number: int) -> Mailing:
    """Return a mailing that nobody else works on until the end of the transaction."""
    row = mass_mailing.c.number == number
    return Mailing(*books.execute(sa.select(*_COLUMNS).where(row).with_for_update()).one())


def find_mailing(database: Database, request: Request, today: date) -> Mailing | None:
    """
    Return the mailing of a request, if it was recorded: today, or earlier and is not yet finished.

    So a mail that was cut short before midnight goes on after it, instead of going out twice.
    """
    is_waiting = sa.exists().where(
        delivery.c.form
        == sa.literal("communication-").concat(sa.cast(mass_mailing.c.number, sa.String)),
        delivery.c.kind == MessageKind.COMMUNICATION,
        delivery.c.status.in_(WAITING),
    )
    is_begun = mass_mailing.c.resolved_at.is_not(None)
    return _find(
        database,
        mass_mailing.c.content == request.content,
        sa.or_(
            mass_mailing.c.day == today,
            sa.and_(is_begun, sa.or_(mass_mailing.c.queued_at.is_(None), is_waiting)),
        ),
    )


def count_mailboxes(database: Database, number: int) -> int:
    """Count the mailboxes that a mailing is meant for."""
    query = sa.select(sa.func.count()).where(mass_recipient.c.mailing == number)
    with database.reading() as books:
        return books.execute(query).scalar_one()


def count_mails(database: Database, number: int) -> dict[DeliveryStatus, int]:
    """Count a mailing's mails by what became of them; every status is there."""
    return count_by_status(
        database, delivery.c.kind == MessageKind.COMMUNICATION, delivery.c.form == form_of(number)
    )


def record_mailing(
    database: Database, store: Store, request: Request, *, today: date, now: datetime, who: str
) -> Mailing:
    """Write down a mass mail, its attachment in the store; the same again is the same mailing."""
    found = find_mailing(database, request, today)
    if found is None:
        with suppress(IntegrityError):  # somebody recorded the same at the same moment
            _insert(database, request, today, now, who)
        found = find_mailing(database, request, today)
    assert found is not None
    if request.attachment is not None and not store.exists(found.attachment_path):
        store.write(found.attachment_path, request.attachment.content)
    return found


def _find(database: Database, *conditions: Any) -> Mailing | None:
    query = sa.select(*_COLUMNS).where(*conditions).order_by(mass_mailing.c.number.desc()).limit(1)
    with database.reading() as books:
        row = books.execute(query).one_or_none()
    return None if row is None else Mailing(*row)


def _insert(database: Database, request: Request, today: date, now: datetime, who: str) -> None:
    file = request.attachment
    with database.writing() as books:
        books.execute(
            mass_mailing.insert().values(
                content=request.content,
                day=today,
                subject=request.subject,
                body=request.body,
                audience=request.audience.to_json(),
                communication=request.communication,
                attachment_name=file.name[:200] if file else None,
                attachment_sha256=file.sha256 if file else None,
                recorded_at=now,
                recorded_by=who,
            )
        )
