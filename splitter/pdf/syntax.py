"""The syntax of PDF objects as raw bytes: cut into items without building objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
STRING = rb"\((?:[^()\\]|\\.)*\)"
HEX = rb"<[0-9A-Fa-f\x00\t\n\x0c\r ]*>"

DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)  # for what differs in digits alone

_OPENING = re.compile(rb"\s*(<<|\[)")
_CLOSING = {b"<<": b">>", b"[": b"]"}
_SPACE = rb"[\x00\t\n\x0c\r ]+"
_FLAT = rb"\[[^\[\]()<>%]*\]|<<[^\[\]()<>%]*>>"  # with nothing nested in it
_ITEM = re.compile(
    rb"/" + REGULAR + rb"*|" + _FLAT + rb"|(?P<open><<|\[)|(?P<close>>>|\])"
    rb"|(?P<reference>[0-9]+" + _SPACE + rb"[0-9]+" + _SPACE + rb"R(?!" + REGULAR + rb"))"
    rb"|" + STRING + rb"|" + HEX + rb"|" + REGULAR + rb"+|(?P<odd>[()<>{}%])",
    re.DOTALL,
)  # fmt: skip
_REFERENCE = re.compile(
    STRING + rb"|" + HEX + rb"|(?<!" + REGULAR + rb")([0-9]+)[\x00\t\n\x0c\r ]+([0-9]+)"
    rb"[\x00\t\n\x0c\r ]+R(?!" + REGULAR + rb")",
    re.DOTALL,
)
_ONLY_REFERENCE = re.compile(rb"\s*([0-9]+)\s+[0-9]+\s+R\s*")
NAME = re.compile(rb"/(" + REGULAR + rb"*+)")
_IRREGULAR = re.compile(rb"[^!-~]|[()<>\[\]{}/%#]")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")

# A dictionary without strings and comments, three deep: what pages, fonts and streams have.
_WHITE = rb"[\x00\t\n\x0c\r ]"
_SIGNS = rb"[^\[\]()<>{}%]*+"
_ARRAY = rb"\[" + _SIGNS + rb"\]"
_FLAT_ONE = rb"<<" + _SIGNS + rb"(?:" + _ARRAY + _SIGNS + rb")*>>"
_NESTED = rb"<<" + _SIGNS + rb"(?:(?:" + _ARRAY + rb"|" + _FLAT_ONE + rb")" + _SIGNS + rb")*>>"
_ENTRY = (
    rb"(/" + REGULAR + rb"*+)" + _WHITE + rb"*+([0-9]++" + _WHITE + rb"++[0-9]++" + _WHITE
    + rb"++R|/" + REGULAR + rb"*+|" + REGULAR + rb"++|" + _ARRAY + rb"|" + _NESTED + rb")"
    + _WHITE + rb"*+(?=/|>>)"
)  # fmt: skip
_ENTRIES = re.compile(_ENTRY)
_USUAL = re.compile(rb"\s*+<<" + _WHITE + rb"*+(?:" + _ENTRY + rb")*>>" + _WHITE + rb"*+")
_STRING_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class UnsupportedPdf(Exception):
    """Not written in the plain way this module reads; the slow path must look at it."""


def items(raw: bytes) -> list[bytes]:
    """Return the items of an array, or the keys and values of a dictionary in turn."""
    opening = _OPENING.match(raw)
    if opening is None:
        raise UnsupportedPdf("not an array or dictionary")
    found: list[bytes] = []
    closing = [_CLOSING[opening[1]]]
    start = 0
    for match in _ITEM.finditer(raw, opening.end()):
        kind = match.lastgroup
        if kind is None or kind == "reference":
            if len(closing) == 1:
                found.append(match[0])
        elif kind == "open":
            if len(closing) == 1:
                start = match.start()
            closing.append(_CLOSING[match[0]])
        elif kind == "odd" or closing.pop() != match[0]:
            raise UnsupportedPdf("an unexpected sign or brackets that do not match")
        elif not closing:
            return found
        elif len(closing) == 1:
            found.append(raw[start : match.end()])
    raise UnsupportedPdf("not closed")


def dictionary(raw: bytes) -> Mapping[bytes, bytes]:
    """Return a dictionary's keys (`/Type`) with the raw bytes of their values."""
    return _remembered(raw) if len(raw) < _LONGEST_REMEMBERED else _dictionary(raw)


def _dictionary(raw: bytes) -> Mapping[bytes, bytes]:
    if _USUAL.fullmatch(raw) is not None:  # then it is cut at a stroke
        return dict(_ENTRIES.findall(raw))
    if not raw.lstrip().startswith(b"<<"):
        raise UnsupportedPdf("not a dictionary")
    parts = items(raw)
    if len(parts) % 2:
        raise UnsupportedPdf("a key without a value")
    return dict(zip(parts[::2], parts[1::2], strict=True))


# Many pages have the very same fonts and colour spaces.
_LONGEST_REMEMBERED = 512
_remembered = lru_cache(maxsize=4096)(_dictionary)


def to_dictionary(entries: Mapping[bytes, bytes]) -> bytes:
    return b"<<" + b" ".join([key + b" " + value for key, value in entries.items()]) + b">>"


def reference(raw: bytes) -> int | None:
    """Return the object number when the value is a reference and nothing else."""
    match = _ONLY_REFERENCE.fullmatch(raw)
    return int(match[1]) if match else None


def references(raw: bytes) -> list[int]:
    """Return the numbers of all objects a value refers to, however deep it is nested."""
    return [int(match[1]) for match in _REFERENCE.finditer(raw) if match[1]]


def renumbered(raw: bytes, number_of: Callable[[int], int]) -> bytes:
    """Return a value with every reference pointing to the new number of its object."""

    def write(match: re.Match[bytes]) -> bytes:
        return b"%d 0 R" % number_of(int(match[1])) if match[1] else match[0]

    return _REFERENCE.sub(write, raw)


# A value with a `%d` wherever it refers to an object, and the numbers that come there.
Fillable = tuple[bytes, tuple[int, ...]]


def fillable(raw: bytes) -> Fillable:
    """Return a value with gaps for the numbers of the objects that it refers to."""
    numbers: list[int] = []

    def write(match: re.Match[bytes]) -> bytes:
        if match[1]:
            numbers.append(int(match[1]))
        return b"%d 0 R" if match[1] else match[0]

    if b"%" in raw:
        raise UnsupportedPdf("a sign that stands for a number")
    return _REFERENCE.sub(write, raw), tuple(numbers)


def names(raw: bytes) -> set[bytes]:
    """Return all names in a content stream, plainly spelled and without their slash."""
    found = set(NAME.findall(raw))
    if b"#" in raw:
        return {plain(name) for name in found}
    return found


def plain(name: bytes) -> bytes:
    """Return a name without escapes: `/A#41` is `/AA`."""
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), name) if b"#" in name else name


def spelled(name: bytes) -> bytes:
    """Return a name, given without escapes, as it is written: with its slash and what it needs."""
    return b"/" + _IRREGULAR.sub(lambda match: b"#%02X" % match[0][0], name)


def string_bytes(raw: bytes) -> bytes:
    """Return the bytes of a literal or hexadecimal string."""
    raw = raw.strip()
    if raw.startswith(b"("):
        return _STRING_ESCAPE.sub(_unescaped, raw[1:-1])
    if raw.startswith(b"<") and not raw.startswith(b"<<"):
        digits = b"".join(raw[1:-1].split())
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    raise UnsupportedPdf("not a string")


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 8) & 0xFF])
    return b"" if match[2] in (b"\n", b"\r", b"\r\n") else _LETTERS.get(match[2], match[2])
