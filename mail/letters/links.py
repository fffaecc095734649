"""How a customer stops communications: links that say which mailbox, and that it is meant."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from database.books import Database
from database.runs import newest_timezone
from database.tables import usage_export
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.languages import ENGLISH
from mail.letters.access import local_moment
from mail.letters.notices import Notice
from mail.letters.phrases import Values, web_address
from mail.message.mime import Unsubscribe

_LENGTH = 15  # octets of a token: 24 letters of base32
TOKEN = "{token}"  # noqa: S105 - its place in the office's address


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """
    Makes the ways out of the office's communications, and reads the tokens that come back.

    A token is a signature of the mailbox: nobody can make one for another's, and none shows an
    address. It is good for communications alone (bills, reminders and receipts have none). `url`
    has {token} in it and takes a POST; whatever it does on a GET, it must not unsubscribe, as
    mail scanners open every link. `mailto` is an address that somebody or something reads.
    """

    secret: bytes = field(repr=False)
    url: str = ""
    mailto: str = ""

    def ways_out(self, mailbox: str) -> Unsubscribe | None:
        """Return the links for a mailbox, None where the office has set up none."""
        token = self.token(mailbox)
        url = self.url.replace(TOKEN, token)
        subject = quote(f"unsubscribe {token}")
        mailto = f"mailto:{self.mailto}?subject={subject}" if self.mailto else ""
        return Unsubscribe(url, mailto) if url or mailto else None

    def token(self, mailbox: str) -> str:
        digest = hmac.digest(self.secret, mailbox.casefold().encode(), hashlib.sha256)
        return base64.b32encode(digest[:_LENGTH]).decode("ascii").lower()

    def find_mailbox(self, token: str, mailboxes: Iterable[str]) -> str | None:
        """Return whose token it is among the mailboxes that we write to; None: of nobody."""
        wanted = token.strip().lower().encode()
        for mailbox in mailboxes:
            if hmac.compare_digest(self.token(mailbox).encode(), wanted):
                return mailbox
        return None

    @property
    def is_set_up(self) -> bool:
        return bool(self.url or self.mailto)


def no_link() -> str:
    """Know of no communication: for an office that has none."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageExportLetter(Notice):
    """An account's usage records lie ready to be fetched (rule 183)."""

    kind = MessageKind.USAGE_EXPORT
    link: str
    records: int
    expires: str  # in the utility's local time

    def _own_values(self) -> Values:
        return {
            "link": web_address(self.link),
            "records": self._count(self.records, "usage record"),
            "expires": self.expires,
        }


@dataclass(frozen=True, slots=True)
class ExportLinks:
    """
    Makes the links of usage exports; `url` has {token} in it.

    A token is a signature of the export's random name. The books hold the name and a hash of the
    token, so that neither they nor a copy of them open an export: that takes the home's secret.
    """

    secret: bytes = field(repr=False)
    url: str = ""

    def token(self, identity: str) -> str:
        digest = hmac.digest(self.secret, identity.encode("ascii"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def link(self, identity: str) -> str:
        return self.url.replace(TOKEN, self.token(identity))


NO_LINKS = ExportLinks(b"")


def token_hash(token: str) -> str:
    """Return what the books hold of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def export_letter(
    database: Database, identity: str, links: ExportLinks, common: dict[str, Any]
) -> UsageExportLetter:
    """
    Return the letter of an export by its name; `common` are the facts that every Notice has.

    Raises PermanentFailure where its file is gone or no link is set up: it has nothing to say.
    """
    with database.reading() as books:
        row = books.execute(
            sa.select(usage_export).where(usage_export.c.id == identity)
        ).one_or_none()
    if row is None or row.removed_at is not None:
        raise PermanentFailure("the export has expired; make it again with export-usage")
    if not links.url:
        raise PermanentFailure("exports.link_url is empty; set it, then make the export again")
    return UsageExportLetter(
        **common,
        link=links.link(identity),
        records=row.records,
        expires=local_moment(
            row.expires_at, newest_timezone(database), common.get("language", ENGLISH)
        ),
    )
