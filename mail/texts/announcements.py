"""One text to many phones in the books: recorded with all of them, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.texts import mass_text, text_message
from domain.deliveries import WAITING, DeliveryStatus, MessageKind, Recipient
from domain.languages import SPANISH
from mail.texts.readers import TextReader
from mail.texts.recording import TEXT, PlannedText, queue_texts

_FORM = "text-"
COUNTING = 0x746578746D616E79  # "textmany": PostgreSQL's advisory lock of whoever counts


@dataclass(frozen=True, slots=True)
class MassTextRequest:
    """What the office tells many, and to whom; `audience` as JSON. Without Spanish: as written."""

    words: str = field(repr=False)
    words_es: str = field(repr=False)
    audience: str = field(repr=False)

    @property
    def content(self) -> str:
        """Name all that was asked for: the same again on the same day is the same text."""
        told = json.dumps([self.words, self.words_es, self.audience])
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MassText:
    """A text to many in the books."""

    number: int
    day: date
    words: str = field(repr=False)
    words_es: str = field(repr=False)
    phones: int

    @property
    def form(self) -> str:
        return f"{_FORM}{self.number}"

    def words_in(self, language: str) -> str:
        return self.words_es if language == SPANISH and self.words_es else self.words


@dataclass(frozen=True, slots=True)
class TextedReader:
    """Whom a text to many comes to: one a phone, with the account that brought them in."""

    reader: TextReader
    recipient: Recipient
    account: str = ""


_COLUMNS = [mass_text.c[name] for name in MassText.__dataclass_fields__]


def find_mass_text(books: Connection, form: str) -> MassText | None:
    """Return a text to many by the form of its messages."""
    digits = form.removeprefix(_FORM)
    if not digits.isdecimal():
        return None
    row = books.execute(sa.select(*_COLUMNS).where(mass_text.c.number == int(digits))).first()
    return MassText(*row) if row else None


def find_recorded(books: Connection, request: MassTextRequest, day: date) -> MassText | None:
    """
    Return what was recorded of a request on a day, or earlier and has not left everywhere.

    So one that waits for the morning does not go twice because it was asked for after midnight.
    """
    rows, texts = mass_text.c, text_message.c
    waits = sa.exists().where(
        texts.form == sa.literal(_FORM).concat(sa.cast(rows.number, sa.String)),
        texts.kind == MessageKind.COMMUNICATION,
        texts.status.in_((*WAITING, DeliveryStatus.SENDING, DeliveryStatus.IN_DOUBT)),
    )
    query = sa.select(*_COLUMNS).where(
        rows.content == request.content, sa.or_(rows.day == day, waits)
    )
    row = books.execute(query.order_by(rows.number.desc()).limit(1)).first()
    return MassText(*row) if row else None


def record_mass_text(
    books: Connection,
    request: MassTextRequest,
    readers: Sequence[TextedReader],
    segments: int,
    *,
    day: date,
    now: datetime,
    who: str,
) -> MassText:
    """Record a text with each phone's message in the outbox; raises IntegrityError for the same."""
    made = books.execute(
        mass_text.insert().values(
            content=request.content,
            day=day,
            words=request.words,
            words_es=request.words_es,
            audience=request.audience,
            phones=len(readers),
            segments=segments,
            recorded_at=now,
            recorded_by=who,
        )
    )
    (number,) = made.inserted_primary_key or (0,)
    text = MassText(int(number), day, request.words, request.words_es, len(readers))
    planned = (
        PlannedText(
            MessageKind.COMMUNICATION,
            day.isoformat(),
            one.reader,
            one.recipient.address,
            one.recipient.source,
            one.account,
            form=text.form,
        )
        for one in readers
    )
    queue_texts(books, planned, now)
    return text


def hold_the_count(books: Connection) -> None:
    """
    Let nobody else count or record texts to many until this transaction ends.

    Two that are begun at the same instant would else each count without the other, and pass the
    day's cap together. SQLite lets but one transaction write anyway.
    """
    if books.dialect.name == "postgresql":
        books.execute(sa.select(sa.func.pg_advisory_xact_lock(COUNTING)))


def count_told(books: Connection, since: datetime) -> int:
    """Count the phones that texts to many were recorded for since a moment."""
    rows = text_message.c
    query = sa.select(sa.func.count()).where(
        rows.kind == MessageKind.COMMUNICATION, rows.queued_at >= since
    )
    return int(books.execute(query).scalar_one())


def take_back_waiting(books: Connection, form: str, why: str) -> int:
    """Let what waits of a text to many go unsent; return how many."""
    rows = text_message.c
    done = books.execute(
        text_message.update()
        .where(
            rows.kind == MessageKind.COMMUNICATION,
            rows.form == form,
            rows.status.in_(WAITING),
        )
        .values(status=TEXT.after(DeliveryStatus.QUEUED, "unwanted"), error=why)
    )
    return done.rowcount
