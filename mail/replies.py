"""What a mail server answered, fit to be written down."""

from __future__ import annotations

import re
from typing import NamedTuple

from mail.headers import one_line

_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']*@[^\s<>()\[\]:;,\"']+")
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_SIZE = re.compile(r"\bsize\b|too (large|big)|too much mail", re.IGNORECASE)
LONGEST = 300  # characters of a reply that are kept


class Reply(NamedTuple):
    """One answer: the code of RFC 5321 (4.2) and its text."""

    code: int
    text: str

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_closing(self) -> bool:
        """421: the server hangs up, whatever the command was (RFC 5321, 3.8)."""
        return self.code == 421

    @property
    def is_expected(self) -> bool:
        return 200 <= self.code < 300 or 400 <= self.code < 600

    @property
    def is_later(self) -> bool:
        return 400 <= self.code < 500

    @property
    def is_never(self) -> bool:
        return 500 <= self.code < 600

    @property
    def status(self) -> str:
        """Return the enhanced status (RFC 3463), such as `5.1.1`, or nothing."""
        found = _ENHANCED.match(self.text)
        return ".".join(found.groups()) if found else ""

    @property
    def is_about_size(self) -> bool:
        """
        Tell "this message is too large" from other refusals (RFC 1870, 6; RFC 3463: X.3.4, X.2.3).

        552 says it too, but 552 5.2.2 is a full mailbox; 554 says it in words only.
        """
        if not self.is_never:
            return False
        if self.status in ("5.3.4", "5.2.3"):
            return True
        is_vague = self.status in ("", "5.0.0")
        is_full = "quota" in self.text.casefold()
        return is_vague and not is_full and (self.code == 552 or bool(_SIZE.search(self.text)))

    def without(self, address: str) -> str:
        """Write code, enhanced status (RFC 3463) and text, the customer's address left out."""
        text = self.text.encode("utf-8", "replace").decode()
        text = _ADDRESS.sub("(address)", text)
        local_part = address.rpartition("@")[0]
        if local_part:
            word = rf"(?<![\w.]){re.escape(local_part)}(?![\w.])"
            text = re.sub(word, "(address)", text, flags=re.IGNORECASE)
        return f"{self.code} {one_line(text)}"[:LONGEST].rstrip()
