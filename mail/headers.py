"""A message's headers (RFC 5322, 2047, 6532), in which nobody can slip one of their own."""

from __future__ import annotations

import binascii
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

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
