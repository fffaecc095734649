"""A message's bytes: its MIME parts (RFC 2045, 2046, 2231)."""

from __future__ import annotations

import binascii
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from struct import Struct
from urllib.parse import quote as percent_encode

import pybase64

from domain.failures import Misuse, PermanentFailure

WIDTH = 78  # columns that a line of a header should have at most (RFC 5322, 2.1.1)
LONGEST_LINE = 998  # octets, without the line end, that it must not exceed
LONGEST_TEXT = 300  # characters of a subject or name: nobody reads more
LONGEST_ADDRESS = 320  # characters: more than RFC 5321 (4.5.3.1) has room for
_WORD = 75  # columns of an encoded word (RFC 2047, 2)
_FOLD = "\r\n "
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# They turn the direction of what follows, so that `gpj.exe` reads as another file, or a name as
# another's: no bill needs them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ways out of a mailing list: a web address that takes a POST (RFC 8058), and a mailto."""

    url: str = ""
    mailto: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """
    The headers of one message; `sent_on` carries the zone the reader is to see.

    With an `unsubscribe` it is mass mail and says so: never a bill, a reminder or a receipt.
    """

    from_name: str
    from_address: str
    recipient: str
    subject: str
    sent_on: datetime
    message_id: str
    reply_to: str = ""
    unsubscribe: Unsubscribe | None = None


def to_headers(heading: Heading) -> bytes:
    """
    Write the headers, folded, with CRLF line ends.

    All is ASCII unless an address has other letters: such a message goes as SMTPUTF8 or not at
    all, and its addresses stand there as they are. Raises Misuse for a way out of a mailing list
    that no mail program would find, PermanentFailure for an address that is none.
    """
    lines = [
        _folded(f"From: {_mailbox(heading.from_name, heading.from_address)}"),
        _folded(f"To: {_address(heading.recipient)}"),
        _folded(f"Subject: {_encoded(one_line(heading.subject)[:LONGEST_TEXT], 'Subject: ')}"),
        f"Date: {format_datetime(heading.sent_on)}",
        f"Message-ID: {one_line(heading.message_id)}",
        "Auto-Submitted: auto-generated",  # RFC 3834: keeps vacation replies away
        "MIME-Version: 1.0",
    ]
    if heading.reply_to:
        lines.insert(2, _folded(f"Reply-To: {_address(heading.reply_to)}"))
    if heading.unsubscribe is not None:
        lines += _list_headers(heading.unsubscribe)
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def one_line(text: str) -> str:
    """
    Replace control characters and line separators by spaces, and runs of spaces by one.

    A line end inside a header's value would begin a header of somebody else's choice. Signs that
    turn the direction of writing are left out.
    """
    if text.isprintable():  # the usual case, told fast
        return " ".join(text.split())
    spaced = (
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
        for char in _TURNING.sub("", text)
    )
    return " ".join("".join(spaced).split())


def _list_headers(unsubscribe: Unsubscribe) -> list[str]:
    """
    Write the way out of a mailing list on one line, however long (RFC 2369, 8058).

    Gmail and others find it only so. The one-click header stands where there is a web address:
    they send a POST there.
    """
    ways = [way for way in (unsubscribe.url, unsubscribe.mailto) if way]
    line = f"List-Unsubscribe: {', '.join(f'<{way}>' for way in ways)}"
    if not ways or not line.isascii() or len(line) > LONGEST_LINE:
        raise Misuse("the unsubscribe address must be ASCII, of at most some 900 characters")
    if any(re.search(r"[\s<>,\x00-\x1f\x7f]", way) for way in ways):
        raise Misuse("the unsubscribe address must hold no space, comma or angle bracket")
    one_click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if unsubscribe.url else []
    return ["Precedence: bulk", line, *one_click]


def _mailbox(name: str, address: str) -> str:
    shown = one_line(name)[:LONGEST_TEXT]
    if not shown:
        return _address(address)
    if not _is_plain(shown):
        shown = _encoded(shown, "From: ")
        last = len(shown.rpartition("\r\n")[2]) + len(" <>") + len(address)
        return f"{shown}{' ' if last <= WIDTH - len('From: ') else _FOLD}<{_address(address)}>"
    if not _ATOMS.fullmatch(shown):
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}"'
    return f"{shown} <{_address(address)}>"


def _address(address: str) -> str:
    """Make an address fit for one line; raises PermanentFailure for what is too long to be one."""
    if len(address) > LONGEST_ADDRESS:
        raise PermanentFailure(f"an e-mail address has more than {LONGEST_ADDRESS} characters")
    return one_line(address)


def _is_plain(text: str) -> bool:
    """Tell whether a text stands as it is: ASCII that does not look encoded, of short words."""
    is_short = len(text) < WIDTH or max(map(len, text.split(" "))) < WIDTH
    return text.isascii() and "=?" not in text and is_short


def _encoded(text: str, before: str) -> str:
    """Write a text as it is where that is safe, else in encoded words, a line each (RFC 2047)."""
    if _is_plain(text):
        return text
    words, chunk, room = [], "", _WORD - len(before) - len("=?utf-8?b??=")
    for char in text:
        if -(-len((chunk + char).encode("utf-8", "replace")) // 3) * 4 > room:
            words.append(chunk)
            chunk, room = "", _WORD - len("=?utf-8?b??=")
        chunk += char
    return _FOLD.join(_encoded_word(word) for word in (*words, chunk))


def _encoded_word(chunk: str) -> str:
    encoded = binascii.b2a_base64(chunk.encode("utf-8", "replace"), newline=False)
    return f"=?utf-8?b?{encoded.decode('ascii')}?="


def _folded(line: str) -> str:
    """Break a long line before its last space that fits; unfolding gives the same text again."""
    if len(line) <= WIDTH or "\r\n" in line:
        return line
    done: list[str] = []
    start = line.index(" ") + 1  # a header's name is not left alone on its line
    while len(line) > WIDTH:
        at = line.rfind(" ", start, WIDTH + 1)
        at = line.find(" ", start) if at <= 0 else at
        if at < 0:
            break
        done.append(line[:at])
        line, start = line[at:], 1
    return "\r\n".join((*done, line))


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
