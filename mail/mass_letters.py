"""The texts of recorded mass mails, as the mails of their deliveries need them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from database.books import Database
from database.tables import mass_mailing
from domain.deliveries import MessageKind
from domain.failures import Misuse
from mail.mass_mailing import Mailing, get_mailing
from mail.mass_wording import to_paragraphs
from mail.mime import Attachment
from mail.notice_mail import Communication
from mail.stored_files import read_stored


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
