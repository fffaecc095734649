"""How a customer stops communications: links that say which mailbox, and that it is meant."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from mail.headers import Unsubscribe

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
