"""A message's bytes: its MIME parts (RFC 2045, 2046, 2231)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from urllib.parse import quote as percent_encode

import pybase64

from mail.headers import LONGEST_LINE, Heading, one_line, to_headers

LINE = 76  # columns of base64 (RFC 2045, 6.8)
LONGEST_NAME = 60  # characters of a file name before its ending
LONGEST_ENDING = 8  # characters of what comes after its last dot
LONGEST_ENCODED = 600  # octets of a file name, percent-encoded


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes  # a PDF


def build(
    heading: Heading, text: str, html: str, boundary: str, attachment: Attachment | None = None
) -> bytes:
    """
    Return mixed(alternative(text, html), pdf) with CRLF line ends, the same for the same facts.

    Built by hand: the standard library's generator takes ten times as long, and fifty thousand
    bills are one office's evening.
    """
    outer, inner = f"{boundary}m", f"{boundary}a"  # neither begins with the other
    alternative = b"".join(
        (
            f'Content-Type: multipart/alternative; boundary="{inner}"\r\n'.encode(),
            f"\r\n--{inner}\r\n".encode(),
            _text_part("plain", text, boundary),
            f"\r\n--{inner}\r\n".encode(),
            _text_part("html", html, boundary),
            f"\r\n--{inner}--\r\n".encode(),
        )
    )
    if attachment is None:
        return to_headers(heading) + alternative
    parts = (
        to_headers(heading),
        f'Content-Type: multipart/mixed; boundary="{outer}"\r\n'.encode(),
        f"\r\n--{outer}\r\n".encode(),
        alternative,
        f"\r\n--{outer}\r\n".encode(),
        _pdf_part(attachment),
        f"\r\n--{outer}--\r\n".encode(),
    )
    return b"".join(parts)


def to_base64(content: bytes) -> bytes:
    """Encode in lines of 76 columns that end in CRLF; cutting by struct avoids a Python loop."""
    encoded = pybase64.b64encode(content)
    lines, rest = divmod(len(encoded), LINE)
    cut = _cutter(lines).unpack_from(encoded)
    last = (encoded[lines * LINE :],) if rest else ()
    return b"\r\n".join((*cut, *last, b""))


@lru_cache(maxsize=256)
def _cutter(lines: int) -> Struct:
    return Struct(f"{LINE}s" * lines)


def _text_part(subtype: str, text: str, boundary: str) -> bytes:
    """Encode a text as 7bit where that is safe, else as quoted-printable (RFC 2045, 6.7)."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    content = plain.encode("utf-8", "replace")
    if content.isascii() and boundary.encode() not in content and _is_short(content):
        encoding = "7bit"
    else:
        encoding, content = "quoted-printable", binascii.b2a_qp(content)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}"
    return head.encode() + b"\r\n\r\n" + content.replace(b"\n", b"\r\n")


def _is_short(content: bytes) -> bool:
    return max(map(len, content.split(b"\n"))) <= LONGEST_LINE


def _pdf_part(attachment: Attachment) -> bytes:
    head = (
        "Content-Type: application/pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {_file_name(attachment.name)}\r\n\r\n"
    )
    return head.encode("ascii") + to_base64(attachment.content)


def _file_name(name: str) -> str:
    """
    Write a name that no folder, header or direction of writing can hide in (RFC 2231).

    It is cut where it would not fit on one line with the letters of other scripts percent-encoded.
    """
    safe = re.sub(r"[^\w.\- ]+", "-", one_line(name)).strip(". ") or "attachment"
    stem, dot, ending = safe.rpartition(".")
    stem, ending = (stem, dot + ending) if dot and len(ending) <= LONGEST_ENDING else (safe, "")
    shown = stem[:LONGEST_NAME]
    while len(percent_encode(shown + ending, safe="")) > LONGEST_ENCODED:
        shown = shown[:-1]
    if (shown + ending).isascii():
        return f'filename="{shown}{ending}"'
    return f"filename*=utf-8''{percent_encode(shown + ending, safe='')}"
