"""Mass mails in the books: what was asked for, written down once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.audit import record_audit
from database.books import Database, insert_rows
from database.tables import delivery, mass_mailing, mass_recipient
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Misuse, Refused
from domain.words import say_count
from mail.communications.audience import Audience, Resolved, resolve
from mail.communications.posted import FOLDER, PdfFile, Store
from mail.letters.communications import to_paragraphs, uses
from mail.message.mime import Attachment
from mail.message.size_limit import read_stored
from mail.outbox.decisions import WAITING
from mail.outbox.deliveries import count_by_status
from mail.rendering.notices import Communication
from rules.mail.communications import WITHOUT_ADDRESS, LeftOut


@dataclass(frozen=True, slots=True)
class MassMailRequest:
    """One mass mail as the office wrote it (rule 110)."""

    subject: str
    body: str = field(repr=False)
    audience: Audience = field(repr=False)
    attachment: PdfFile | None = None
    communication: int | None = None

    @property
    def content(self) -> str:
        """Name all that was asked for: the same again is the same mail."""
        file = self.attachment.sha256 if self.attachment else ""
        told = [self.subject, self.body, self.audience.folded, file, self.communication]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def names_account(self) -> bool:
        return uses(to_paragraphs(self.body), "account_number")


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


def find_mailing(database: Database, request: MassMailRequest, today: date) -> Mailing | None:
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
    database: Database,
    store: Store,
    request: MassMailRequest,
    *,
    today: date,
    now: datetime,
    who: str,
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


def _insert(
    database: Database, request: MassMailRequest, today: date, now: datetime, who: str
) -> None:
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


class MassLetters:
    """
    Finds a communication by the form of its deliveries; of the kind's own form, the newest one.

    Text and attachment are read once and kept while mails of the same mailing follow each other.
    `link_to` tells where a posted communication is to be read now; empty: nowhere any more.
    `read_file` raises OSError.
    """

    def __init__(
        self, database: Database, read_file: Callable[[str], bytes], link_to: Callable[[int], str]
    ) -> None:
        self._database = database
        self._read_file = read_file
        self._link_to = link_to
        self._kept: tuple[Mailing, Communication] | None = None

    def __call__(self, form: str) -> Communication | None:
        """Raises PermanentFailure or TemporaryFailure where its attachment cannot be read."""
        if self._kept is None or self._kept[0].form != form:
            mailing = self._find(form)
            if mailing is None:
                return None
            self._kept = mailing, self._to_communication(mailing)
        mailing, found = self._kept
        link = self._link_to(mailing.communication) if mailing.communication else ""
        return Communication(found.title, found.paragraphs, link, found.attachment)

    def _find(self, form: str) -> Mailing | None:
        if form == MessageKind.COMMUNICATION:
            with self._database.reading() as books:
                number = books.scalar(sa.select(sa.func.max(mass_mailing.c.number)))
        else:
            digits = form.removeprefix(f"{MessageKind.COMMUNICATION}-")
            number = int(digits) if digits.isdecimal() else None
        try:
            return None if number is None else get_mailing(self._database, number)
        except Misuse:
            return None

    def _to_communication(self, mailing: Mailing) -> Communication:
        attachment = None
        if mailing.attachment_name is not None:
            content = read_stored(self._read_file, mailing.attachment_path, "its attachment")
            attachment = Attachment(mailing.attachment_name, content)
        paragraphs = to_paragraphs(mailing.body)
        return Communication(mailing.subject, paragraphs, "", attachment)


def write_down_readers(
    database: Database,
    number: int,
    count: int,
    *,
    to_landlords: bool,
    token_of: Callable[[str], str | None],
    now: datetime,
    who: str,
) -> Mailing:
    """
    Write down the mailboxes of a mailing, all of them or none, where that was not done before.

    They stand from then on: whoever moves in or closes an account while it is being sent changes
    nothing. `count` is what a person has confirmed, `token_of` gives each mailbox's way out.
    Raises Refused (`wrong-count`) where they are not so many.
    """
    mailing = get_mailing(database, number)
    if mailing.resolved_at is not None:
        require_count(count, count_mailboxes(database, number))
        return mailing
    names_account = uses(to_paragraphs(mailing.body), "account_number")
    audience = Audience.from_json(mailing.audience)
    found = resolve(database, audience, to_landlords=to_landlords, names_account=names_account)
    require_count(count, len(found.readers))
    with database.writing() as books:
        row = mass_mailing.c.number == number
        lock = sa.select(mass_mailing.c.resolved_at).where(row).with_for_update()
        if books.execute(lock).scalar() is None:
            _write_readers(books, number, found, token_of)
            books.execute(
                mass_mailing.update().where(row).values(resolved_at=now, left_out=_to_json(found))
            )
            detail = f"{audience.kind}: {say_count(count, 'mailbox', 'mailboxes')}"
            record_audit(books, now, who, "send communication", form_of(number), detail)
    return get_mailing(database, number)


def require_count(confirmed: int, found: int) -> None:
    """Raise Refused (`wrong-count`) where a person has confirmed another number of mailboxes."""
    if confirmed != found:
        raise Refused(
            "wrong-count",
            f"{say_count(found, 'mailbox', 'mailboxes')} would be written to, not {confirmed:,}; "
            "nothing was sent. Look at the audience again and confirm its count.",
        )


def count_left_out(left_out: Counter[LeftOut], unreachable: int) -> dict[str, int]:
    """Count what is left out, by why, as programs read it."""
    counted = {reason.value: left_out[reason] for reason in LeftOut if left_out[reason]}
    return counted | ({WITHOUT_ADDRESS: unreachable} if unreachable else {})


def _write_readers(
    books: Connection, number: int, found: Resolved, token_of: Callable[[str], str | None]
) -> None:
    columns = ["mailing", "mailbox", "address", "account_key", "account", "source", "token"]
    rows = (
        (
            number, one.recipient.mailbox, one.recipient.address, account_key(one.account),
            one.account, one.recipient.source, token_of(one.recipient.mailbox),
        )
        for one in found.readers
    )  # fmt: skip
    insert_rows(books, mass_recipient, columns, rows)


def _to_json(found: Resolved) -> str:
    return json.dumps(count_left_out(found.left_out, found.unreachable))
