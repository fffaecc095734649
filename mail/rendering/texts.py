"""The words of text messages: out of the same facts as the mails whose place they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import one_time_link
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.phones import ending
from mail.letters.notices import FOLDER, Notice
from mail.letters.templates import Templates
from mail.outbox.deliveries import Delivery
from mail.rendering.alerts import newest_utility
from mail.rendering.notice_facts import find_facts_of_notice
from mail.rendering.notices import NoticeRenderer
from mail.texts.announcements import find_mass_text
from mail.texts.outbox import ClaimedText

CODE = "code"  # the form of the text that proves a phone
ANNOUNCEMENT = "communication"  # that of what the office tells many
ADD_METHOD = "add-method"  # that of the text with a link to the gateway's page


@dataclass(frozen=True, slots=True)
class TextWords:
    """
    Words texts when they leave; called with one that was claimed.

    `code` makes the code of a one-time link out of its key. Without `shows_amounts` no amount
    stands in a text; the whole number of an account never does.
    """

    notices: NoticeRenderer
    code: Callable[[str], str] = field(repr=False)
    shows_amounts: bool = True

    @property
    def database(self) -> Database:
        return self.notices.database

    @property
    def templates(self) -> Templates:
        return self.notices.templates

    def __call__(self, row: ClaimedText) -> str:
        """Raises PermanentFailure or TemporaryFailure where it has nothing to say (any more)."""
        if row.kind is MessageKind.ACCESS:
            return self._code(row)
        if row.kind is MessageKind.COMMUNICATION:
            return self._announcement(row)
        facts = find_facts_of_notice(
            self.database,
            key=row.mail_key,
            period=row.period,
            account_key=row.account_key,
            address=row.address,
            source=row.source,
        )
        if facts is None:
            raise PermanentFailure("its period is no longer in the books")
        letter, _ = self.notices.to_letter(_as_delivery(row), facts, row.language)
        return self.word(letter)

    def word(self, letter: Notice) -> str:
        """Word what a mail would say, as a text."""
        forms = tuple(name.removeprefix(f"{FOLDER}/") for name in (letter.form, letter.kind))
        about = {
            "account_end": ending(letter.account),
            "shows_amount": self.shows_amounts,
            "link": self.notices.portal_links.url,
        }
        return self.templates.word_text(forms, letter.values() | about, letter.language)

    def announce(self, words: str, language: str) -> str:
        """Word what the office tells many: by whom it is, and how it ends (rule 111)."""
        values = {"utility": newest_utility(self.database)[0], "words": words}
        return self.templates.word_text((ANNOUNCEMENT,), values, language)

    def _announcement(self, row: ClaimedText) -> str:
        with self.database.reading() as books:
            found = find_mass_text(books, row.form)
        if found is None:
            raise PermanentFailure("what it was to say is no longer in the books")
        return self.announce(found.words_in(row.language), row.language)

    def answer(self, form: str, language: str) -> str:
        """Word what is answered to STOP, START and HELP."""
        values = {"utility": newest_utility(self.database)[0], "code": ""}
        return self.templates.word_text((form,), values, language)

    def _code(self, row: ClaimedText) -> str:
        table = one_time_link.c
        with self.database.reading() as books:
            link = books.execute(
                sa.select(table.kind, table.used_at, table.revoked_at).where(table.key == row.about)
            ).one_or_none()
        if link is None or link.used_at is not None or link.revoked_at is not None:
            raise PermanentFailure("its code was used, or another one took its place")
        utility, _ = newest_utility(self.database)
        values = {"utility": utility, "code": "", "link": ""}
        if row.form == ADD_METHOD:
            values["link"] = self.notices.portal_links.one_time(link.kind.value, row.about)
        else:
            values["code"] = self.code(row.about)
        return self.templates.word_text((row.form,), values, row.language)


def _as_delivery(row: ClaimedText) -> Delivery:
    return Delivery(
        key=row.mail_key,
        period=row.period,
        account_key=row.account_key,
        account=row.account,
        kind=row.kind,
        form=row.form,
        address=row.address,
        message_id="",
        attempts=row.attempts,
        queued_at=row.queued_at,
        possible_duplicate=False,
    )
