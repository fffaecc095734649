"""A customer's choice of texts: the phone is proved by a code before anything goes there."""

from __future__ import annotations

import hmac
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from database.definitions.identity import one_time_link, web_user
from domain.deliveries import MessageKind
from domain.identity import LinkKind
from domain.phones import to_phone
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.one_time_links import (
    count_wrong_code,
    find_link_of_user,
    make_link,
    revoke_links,
    use_link,
)
from identity.tokens import token_hash
from identity.users import find_user
from mail.rendering.texts import CODE
from mail.texts.consents import agree, take_back
from mail.texts.readers import TextReader, is_stopped, reader_of
from mail.texts.recording import PlannedText, queue_texts
from office.equipment.office import Office

DAY = timedelta(days=1)
MOST_CODES = 5  # texts a day to one phone, and by one customer
MOST_OF_NETWORK = 20
MOST_WRONG = 5  # tries at one code


class NoCode(StrEnum):
    """Why no code goes to a phone."""

    STOPPED = "stopped"
    TOO_OFTEN = "too-often"


def begin_proof(
    office: Office, user: int, phone: str, language: str, network: str
) -> NoCode | None:
    """
    Queue a text with a code that proves a phone; None: it is on its way.

    Counted by phone, customer and network: nobody is pestered, and nobody spends our money.
    """
    now = office.due_now()
    subjects = [f"user/{user}", f"phone/{token_hash(phone)[:40]}"]
    with office.database.writing() as books:
        if is_stopped(books, phone):
            return NoCode.STOPPED
        by_subject = count_bad(books, "text-code", subjects, now, DAY)
        by_network = count_bad(books, "text-code", [network], now, DAY)
        if by_subject >= MOST_CODES or by_network >= MOST_OF_NETWORK:
            return NoCode.TOO_OFTEN
        record_attempt(books, "text-code", [*subjects, network], now, good=False)
        row = one_time_link.c  # one proof is under way at a time: codes of other phones end
        revoke_links(books, now, row.user_number == user, row.kind == LinkKind.PHONE)
        key = make_link(books, office.link_tokens, LinkKind.PHONE, now, user=user, about=phone)
        owner = find_user(books, user)
        address = owner.mailbox if owner else ""
        reader = TextReader(user, address, phone, language)
        text = PlannedText(MessageKind.ACCESS, key, reader, address, form=CODE)
        queue_texts(books, [text], now)
        record_activity(books, user, "text code sent", now)
    return None


def phone_in_proof(office: Office, user: int) -> str:
    """Return the phone that a code is on its way to; empty: none is."""
    with office.database.reading() as books:
        link = find_link_of_user(books, user, LinkKind.PHONE, office.due_now())
    return link.about if link else ""


def end_proof(office: Office, user: int, code: str, sentence: str) -> bool:
    """Keep the consent of whoever has the code that went to their phone; False: a wrong one."""
    now = office.due_now()
    with office.database.writing() as books:
        link = find_link_of_user(books, user, LinkKind.PHONE, now)
        if link is None:
            return False
        typed = "".join(filter(str.isdigit, code))
        if not hmac.compare_digest(office.link_tokens.code(link.key).encode(), typed.encode()):
            count_wrong_code(books, link, now, MOST_WRONG)
            return False
        if not use_link(books, link, now) or is_stopped(books, link.about):
            return False
        digits = link.about.removeprefix("+")
        books.execute(web_user.update().where(web_user.c.number == user).values(phone=digits))
        agree(books, user, link.about, sentence, now, news=True)  # as it says
        record_activity(books, user, "texts chosen", now)
    return True


def choose_mails(office: Office, user: int) -> bool:
    """Take a customer's consent back; False: there is none."""
    now = office.due_now()
    with office.database.writing() as books:
        reader = reader_of(books, user)
        if reader is None:
            return False
        take_back(books, user, reader.phone, now)
        record_activity(books, user, "mails chosen", now)
    return True


def how_told(office: Office, user: int) -> tuple[str, str, bool]:
    """Return where a customer's texts go, the phone on the account, and whether it has stopped."""
    with office.database.reading() as books:
        reader = reader_of(books, user)
        digits = books.scalar(sa.select(web_user.c.phone).where(web_user.c.number == user)) or ""
        has_stopped = bool(digits) and is_stopped(books, to_phone(digits))
        return reader.phone if reader else "", digits, has_stopped
