"""Yes and no to text messages: kept for good, and acted on at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from database.definitions.texts import text_consent
from domain.texts import ConsentWay
from mail.texts.recording import fail_waiting

STOPPED = "the phone has answered STOP"
TAKEN_BACK = "its owner chose mails instead"


def agree(
    books: Connection,
    user: int,
    phone: str,
    sentence: str,
    now: datetime,
    *,
    news: bool = False,
) -> None:
    """
    Keep that a portal user, whose phone was proved by a code, wants texts (rule 103).

    `news`: the sentence speaks of what the office tells many, too (rule 111).
    """
    way = ConsentWay.CODE
    _record(books, user, phone, now, way, given=True, sentence=sentence, news=news)


def take_back(books: Connection, user: int, phone: str, now: datetime) -> int:
    """Keep that a portal user wants no texts any more; return how many did not leave for it."""
    _record(books, user, phone, now, ConsentWay.ACCOUNT_PAGE, given=False)
    return fail_waiting(books, phone, TAKEN_BACK)


def stop_phone(books: Connection, phone: str, now: datetime, words: str = "STOP") -> int:
    """
    Keep that a phone gets no texts of any kind; return how many did not leave for it.

    It holds for whoever has that number on the account page, now or later.
    """
    _record(books, None, phone, now, ConsentWay.TEXT, given=False, sentence=words)
    return fail_waiting(books, phone, STOPPED)


def start_phone(books: Connection, phone: str, now: datetime, words: str = "START") -> None:
    """Keep that a phone takes texts again; what its owners had agreed to holds again."""
    _record(books, None, phone, now, ConsentWay.TEXT, given=True, sentence=words)


def _record(
    books: Connection,
    user: int | None,
    phone: str,
    now: datetime,
    way: ConsentWay,
    *,
    given: bool,
    sentence: str = "",
    news: bool = False,
) -> None:
    books.execute(
        text_consent.insert().values(
            user_number=user,
            phone=phone,
            given=given,
            at=now,
            way=way,
            sentence=sentence,
            news=news,
        )
    )
