"""What phones answer: STOP, START and HELP, each acted on at once."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import web_user
from domain.languages import ENGLISH
from domain.phones import to_phone
from domain.texts import PhoneReply, read_reply
from identity.activity import record_activity
from mail.texts.consents import start_phone, stop_phone
from mail.texts.outbox import note_not_delivered
from mail.texts.readers import is_stopped
from office.equipment.office import Office

_ANSWERS = {PhoneReply.STOP: "stopped", PhoneReply.START: "started", PhoneReply.HELP: "help"}
_ACTS = {PhoneReply.STOP: "texts stopped", PhoneReply.START: "texts started"}
LONGEST = 200  # characters of an answer that are kept


def take_answer(office: Office, phone: str, words: str) -> str:
    """
    Act on what a phone answered, and return what it is told, empty for nothing.

    A STOP holds for texts of all kinds, in the same transaction; what waits does not leave.
    """
    number, reply, now = to_phone(phone), read_reply(words), office.due_now()
    if not number or reply is PhoneReply.OTHER:
        return ""
    with office.database.writing() as books:
        if reply is PhoneReply.STOP and not is_stopped(books, number):
            stop_phone(books, number, now, words[:LONGEST])
            _tell_owners(books, office, number, reply)
        elif reply is PhoneReply.START and is_stopped(books, number):
            start_phone(books, number, now, words[:LONGEST])
            _tell_owners(books, office, number, reply)
        language = _language(books, number)
    return office.text_words.answer(_ANSWERS[reply], language)


def take_fate(office: Office, reference: str, code: str) -> bool:
    """Write down that the carrier could not deliver a text it had taken."""
    with office.database.writing() as books:
        return note_not_delivered(
            books, reference, f"the carrier did not deliver it (code {code[:10] or 'none'})"
        )


def has_answers(office: Office) -> bool:
    """Tell whether something lies in the inbox of the folder of texts."""
    if office.settings.texts.system != "folder" or office.rehearses:
        return False
    return any((office.home / "texts" / "inbox").glob("*.txt"))


def take_answers_of_folder(office: Office) -> int:
    """Take in what lies in the folder's inbox, and answer beside it; return how much it was."""
    if not has_answers(office):
        return 0
    from office.equipment.texts import to_text_folder

    folder, taken = to_text_folder(office), 0
    for answer in folder.answers():
        folder.answer(answer, take_answer(office, answer.phone, answer.words))
        taken += 1
    return taken


def _tell_owners(books: Connection, office: Office, phone: str, reply: PhoneReply) -> None:
    for user in books.scalars(sa.select(web_user.c.number).where(_has(phone))).all():
        record_activity(books, user, _ACTS[reply], office.due_now(), by="the phone")


def _language(books: Connection, phone: str) -> str:
    language = sa.select(web_user.c.language).where(_has(phone)).order_by(web_user.c.number)
    return books.scalar(language.limit(1)) or ENGLISH


def _has(phone: str) -> sa.ColumnElement[bool]:
    """Claim that a portal user has that phone, written with or without its country."""
    return web_user.c.phone.in_((phone.removeprefix("+"), phone.removeprefix("+1")))
