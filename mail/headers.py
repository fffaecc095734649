"""A message's headers (RFC 5322, 2047), in which nobody can slip one of their own."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, quote

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


@dataclass(frozen=True, slots=True)
class Heading:
    """The headers of one message; `sent_on` carries the zone the reader is to see."""

    from_name: str
    from_address: str
    recipient: str
    subject: str
    sent_on: datetime
    message_id: str
    reply_to: str = ""


def to_headers(heading: Heading) -> bytes:
    lines = [
        f"From: {_mailbox(heading.from_name, heading.from_address)}",
        f"To: {one_line(heading.recipient)}",
        f"Subject: {_unstructured('Subject', heading.subject)}",
        f"Date: {format_datetime(heading.sent_on)}",
        f"Message-ID: {one_line(heading.message_id)}",
        "Auto-Submitted: auto-generated",  # RFC 3834: keeps vacation replies away
        "MIME-Version: 1.0",
    ]
    if heading.reply_to:
        lines.insert(2, f"Reply-To: {one_line(heading.reply_to)}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")


def one_line(text: str) -> str:
    """
    Replace control characters and line separators by spaces, and runs of spaces by one.

    A line end inside a header's value would begin a header of somebody else's choice.
    """
    if text.isprintable():  # the usual case, told fast
        return " ".join(text.split())
    spaced = (
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in text
    )
    return " ".join("".join(spaced).split())


def _mailbox(name: str, address: str) -> str:
    shown = one_line(name)
    if not shown:
        return one_line(address)
    if not shown.isascii():
        shown = Header(shown, "utf-8", header_name="From").encode(linesep="\r\n")
    elif not _ATOMS.fullmatch(shown):
        shown = f'"{quote(shown)}"'
    return f"{shown} <{one_line(address)}>"


def _unstructured(name: str, text: str) -> str:
    """Write ASCII as it is and anything else, or what looks encoded already, by RFC 2047."""
    shown = one_line(text)[:300]
    if shown.isascii() and "=?" not in shown:
        return shown
    return Header(shown, "utf-8", header_name=name).encode(linesep="\r\n")
