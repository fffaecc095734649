"""The parts and headers of a mail that may be broken or hostile."""

from __future__ import annotations

import binascii
import email
import email.errors
import email.header
import email.policy
import quopri
import re
from collections.abc import Iterator
from email.message import Message

from mail.message.mime import one_line

MOST_BOUNDARIES = 12  # a report with the mail that it returns has three or four
LONGEST_HEADER = 2_000  # characters that are looked at
REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
RETURNED = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
)


def parse(content: bytes) -> Message:
    """Parse with the policy that takes broken headers as they are, or the headers alone."""
    if content.lower().count(b"boundary") <= MOST_BOUNDARIES:
        try:
            return email.message_from_bytes(content, policy=email.policy.compat32)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
            pass  # the parser's own limits; what the headers say is left
    return _headers_alone(content)


def _headers_alone(content: bytes) -> Message:
    mail = Message(policy=email.policy.compat32)
    head, _, _ = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    for line in re.split(r"\n(?![ \t])", head.decode("utf-8", "replace")):
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[!-9;-~]{1,100}", name):
            mail[name] = one_line(value)
    return mail


def list_parts(mail: Message) -> Iterator[Message]:
    """Yield a mail and the parts of it, without what is inside a returned mail."""
    yield mail
    if mail.get_content_maintype() == "multipart":
        payload = mail.get_payload()
        for part in payload if isinstance(payload, list) else []:
            if isinstance(part, Message):
                yield from list_parts(part)


def list_reports(parts: list[Message]) -> Iterator[Message]:
    """Yield the groups of fields of every delivery report: that of the mail, of each recipient."""
    for part in parts:
        if part.get_content_type() not in REPORTS:
            continue
        payload = part.get_payload()
        groups = payload if isinstance(payload, list) else [_fields(str(payload))]
        found = [group for group in groups if isinstance(group, Message)]
        if _encoding(part) in ("base64", "quoted-printable"):
            found = [_fields(text) for text in re.split(r"\n[ \t]*\n", _decoded(part, found))]
        yield from found


def _decoded(part: Message, blocks: list[Message]) -> str:
    """Undo an encoding that reports should not have and some have."""
    lines = [f"{name}: {value}" for block in blocks for name, value in block.items()]
    text = "\n".join(lines + [str(block.get_payload()) for block in blocks])
    raw = text.encode("ascii", "replace")
    if _encoding(part) == "quoted-printable":
        return quopri.decodestring(raw).decode("utf-8", "replace")
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        decoded = binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return ""
    return decoded.decode("utf-8", "replace").replace("\r\n", "\n")


def _encoding(part: Message) -> str:
    return header(part, "Content-Transfer-Encoding").lower()


def _fields(text: str) -> Message:
    return _headers_alone(text.strip().encode("utf-8", "replace"))


def returned_headers(part: Message) -> Message:
    """Return the headers of the mail that came back, inside this part."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = payload[0] if payload else part
        return inner if isinstance(inner, Message) else part
    return _fields(str(payload))


def header(part: Message, name: str) -> str:
    """Return a header's text, empty where there is none."""
    values = headers(part, name)
    return values[0] if values else ""


def readable_header(part: Message, name: str) -> str:
    """Return a header as people read it, encoded words (RFC 2047) undone where they can be."""
    raw = header(part, name)
    try:
        pieces = email.header.decode_header(raw)
        texts = [
            piece.decode(charset or "ascii", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in pieces
        ]
    except (email.errors.MessageError, LookupError, ValueError):
        return raw
    return one_line("".join(texts))


def headers(part: Message, *names: str) -> list[str]:
    """Return headers as plain text in one line each; a broken one may be an object of its own."""
    return [
        one_line(str(value))[:LONGEST_HEADER]
        for name in names
        for value in (part.get_all(name) or [])
    ]
