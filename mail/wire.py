"""A message as it goes over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mail.port import OutgoingMessage

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FINAL_DOT = b".\r\n"
_LONE_CR = re.compile(rb"\r(?!\n)")
_LONE_CR_OR_DOT = re.compile(rb"\r(?!\n(?!\.))")  # or a line that begins with a dot


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message with its body made: what one mail transaction needs."""

    message: OutgoingMessage
    body: bytes  # dots doubled, with the final dot
    size: int  # octets, dots not doubled and without the final one (RFC 1870, 3)
    is_ascii: bool


def pack(message: OutgoingMessage, content: bytes) -> Parcel:
    if _is_as_it_goes(content):
        return Parcel(message, content + _FINAL_DOT, len(content), content.isascii())
    content = to_crlf(content)
    return Parcel(message, to_wire(content), len(content), content.isascii())


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].casefold()


def to_crlf(content: bytes) -> bytes:
    """
    Make every line end CRLF, the last one too.

    A lone CR or LF is one of them: some servers read it as a line end, and `LF . LF` would end the
    message early and begin another (SMTP smuggling).
    """
    if content.count(b"\n") != content.count(b"\r") or _LONE_CR.search(content):
        content = _LINE_END.sub(b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def to_wire(content: bytes) -> bytes:
    """Double dots at line starts and end with the final dot (RFC 5321, 4.5.2)."""
    if _is_as_it_goes(content):
        return content + _FINAL_DOT
    content = to_crlf(content)
    content = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if content.startswith(b".") else b"") + content + _FINAL_DOT


def _is_as_it_goes(content: bytes) -> bool:
    """Tell in one go whether there is nothing to mend and no dot to double: the usual case."""
    return (
        not content.startswith((b".", b"\n"))
        and content.endswith(b"\r\n")
        and content.count(b"\n") == content.count(b"\r")
        and not _LONE_CR_OR_DOT.search(content)
    )
