"""Whom of an audience a text reaches: who agreed to texts with news in them, one a phone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from database.books import Database
from database.tables import unsubscribed_address
from mail.communications.audience import Audience, newest_closed, read_audience
from mail.texts.announcements import TextedReader
from mail.texts.readers import news_readers_of, readers_of
from rules.mail.communications import Reader


class NoText(StrEnum):
    """Why somebody of an audience gets no text."""

    NO_CONSENT = "no-consent"
    BILLS_ALONE = "bills-alone"
    UNSUBSCRIBED = "unsubscribed"
    SAME_PHONE = "same-phone"


NO_TEXT_BECAUSE = {
    NoText.NO_CONSENT: "have not chosen texts, or have stopped them",
    NoText.BILLS_ALONE: "have agreed to texts about their bills alone",
    NoText.UNSUBSCRIBED: "want no communications",
    NoText.SAME_PHONE: "share a phone with somebody who gets it",
}


@dataclass(frozen=True, slots=True)
class TextedAudience:
    """Whom a text comes to; `left_out` counts mailboxes."""

    readers: tuple[TextedReader, ...]
    left_out: Counter[NoText]


def resolve_texted(database: Database, audience: Audience, *, to_landlords: bool) -> TextedAudience:
    """
    Find the phones of an audience, out of the newest closed period (rules 103, 111).

    Whoever has answered STOP, taken the consent back or wants no communications gets none; two who
    share a phone get one. Raises Misuse as the audience of a mass mail does.
    """
    with database.reading() as books:
        found = read_audience(books, newest_closed(books), audience, to_landlords)
        people: dict[str, Reader] = {}
        for one in found:
            if isinstance(one, Reader):
                people.setdefault(one.recipient.mailbox, one)
        known, news = readers_of(books, people), news_readers_of(books, people)
        unsubscribed = set(books.scalars(sa.select(unsubscribed_address.c.mailbox)))
    readers: dict[str, TextedReader] = {}
    left_out: Counter[NoText] = Counter()
    for mailbox, one in people.items():
        reader = known.get(mailbox)
        if reader is None:
            left_out[NoText.NO_CONSENT] += 1
        elif mailbox not in news:
            left_out[NoText.BILLS_ALONE] += 1
        elif mailbox in unsubscribed:
            left_out[NoText.UNSUBSCRIBED] += 1
        elif reader.phone in readers:
            left_out[NoText.SAME_PHONE] += 1
        else:
            readers[reader.phone] = TextedReader(reader, one.recipient, one.account)
    return TextedAudience(tuple(readers.values()), left_out)
