"""Sending the texts that are due, within the hours in which customers are written to."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

from database.audit import record_audit
from database.owners import this_process
from database.runs import newest_timezone
from domain.deliveries import MessageKind
from domain.texts import BY_DAY, is_quiet
from domain.words import say_count
from mail.texts.outbox import has_due
from mail.texts.sending import TextCounts, send_due_texts
from office.equipment.office import Office
from office.procedures.texting.answering import has_answers, take_answers_of_folder

CODES = (MessageKind.ACCESS,)  # somebody waits before a page for them


def kinds_now(office: Office, now: datetime) -> tuple[MessageKind, ...]:
    """Return what may leave at a moment: at night codes alone (setting texts.begin)."""
    local = now.astimezone(ZoneInfo(newest_timezone(office.database)))
    begins, ends = office.settings.texts.hours
    return CODES if is_quiet(local, begins, ends) else (*CODES, *sorted(BY_DAY))


def has_due_texts(office: Office, now: datetime) -> bool:
    """Tell whether a text may leave now, or an answer has come; a look that changes nothing."""
    if has_answers(office):
        return True
    with office.database.reading() as books:
        return has_due(books, now, kinds_now(office, now))


def send_texts(office: Office, kinds: tuple[MessageKind, ...] = ()) -> TextCounts:
    """
    Take in what phones have answered, then send the texts that are due and may leave now.

    Where none is due no carrier is reached. `kinds`: only these; else all.
    """
    take_answers_of_folder(office)
    now = office.due_now()
    chosen = tuple(kind for kind in kinds_now(office, now) if not kinds or kind in kinds)
    with office.database.reading() as books:
        if not has_due(books, now, chosen):
            return TextCounts()
    with closing(office.text_sender) as sender:
        tried = send_due_texts(
            office.database,
            sender,
            office.text_words,
            clock=office.due_now,
            owner=this_process("texts"),
            kinds=chosen,
        )
    if tried.sent:
        with office.database.writing() as books:
            detail = say_count(tried.sent, "text")
            record_audit(books, office.due_now(), office.who, "send texts", "texts", detail)
    return tried


def say_texts(tried: TextCounts) -> str:
    """Say what became of the texts that were tried just now."""
    said = f"{tried.sent:,} sent"
    for word, number in (
        ("deferred", tried.deferred),
        ("failed", tried.failed),
        ("in-doubt", tried.in_doubt),
    ):
        said += f", {number:,} {word}" if number else ""
    return said + (f"; stopped: {tried.stopped_by}" if tried.stopped_by else "")
