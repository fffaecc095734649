"""What a mail server answered, fit to be written down."""

from __future__ import annotations

import re
from typing import NamedTuple

from mail.headers import one_line

_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']*@[^\s<>()\[\]:;,\"']+")
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

    def without(self, address: str) -> str:
        """Write code, enhanced status (RFC 3463) and text, the customer's address left out."""
        text = self.text.encode("utf-8", "replace").decode()
        text = _ADDRESS.sub("(address)", text)
        local_part = address.rpartition("@")[0]
        if local_part:
            word = rf"(?<![\w.]){re.escape(local_part)}(?![\w.])"
            text = re.sub(word, "(address)", text, flags=re.IGNORECASE)
        return f"{self.code} {one_line(text)}"[:LONGEST].rstrip()
