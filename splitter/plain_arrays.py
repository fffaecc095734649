"""Strings shown one by one with gaps between them, and how far they reach."""

from __future__ import annotations

import re
from binascii import unhexlify
from dataclasses import dataclass

from splitter.plain_codes import PlainFont
from splitter.syntax import Odd, string_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """How text is shown: its height and a thousandth of it along the line, in points."""

    height: float
    unit: float
    scale: float  # the points in one of the text's own units
    font: PlainFont


# What is shown at once: where it starts, in points, how, and what it says; the codes shown, and the
# array with the gaps between them, if there is one.
Fragment = tuple[float, float, Style, str, bytes, bytes]

NESTING = rb"[^()\\]*+(?:(?:\\[\s\S]|\([^()\\]*+\))[^()\\]*+)*"  # what a literal string holds
HEX = rb"[0-9A-Fa-f]*+"
CLOSE, FAR = 50, 220  # thousandths of the font's height: nothing between letters, surely a space
_MOST_GAPS = 1 << 14
_NOT_BRACKETS = bytes(set(range(256)) - set(b"()<>"))
_PIECE = re.compile(
    rb"\s*(?:(\(" + NESTING + rb"\)|<" + HEX + rb">)|([-+.0-9]++)|([\s\S]++))"
)  # fmt: skip


def read_array(array: bytes, font: PlainFont) -> tuple[bytes, str]:
    """Return the codes in an array and what they say, with a space for each wide gap."""
    is_literal = array.startswith(b"(")
    opening, closing = (b"(", b")") if is_literal else (b"<", b">")
    parts = array.replace(opening, closing).split(closing)
    pieces = parts[1::2]
    if (
        array.translate(None, _NOT_BRACKETS) != (opening + closing) * len(pieces)
        or not _small_gaps.issuperset(parts[::2])
        or parts[0].strip()
        or b"\\" in array
    ):
        return _piece_by_piece(array, font)
    if not is_literal or font.code_bytes > 1:
        whole = font.code_bytes if is_literal else 2 * font.code_bytes
        if any(map(whole.__rmod__, set(map(len, pieces)))):
            raise Odd("half a code")
    codes = b"".join(pieces) if is_literal else unhexlify(b"".join(pieces))
    return codes, font.decode(codes)


def advance(fragment: Fragment) -> float:
    """Return how far a fragment reaches to the right, in points."""
    _, _, style, _, codes, kerned = fragment
    if not kerned:
        return style.font.width(codes) * style.unit
    moved = sum([float(match[2]) for match in _PIECE.finditer(kerned) if match[2]])
    return (style.font.width(codes) - moved) * style.unit


def _piece_by_piece(array: bytes, font: PlainFont) -> tuple[bytes, str]:
    codes: list[bytes] = []
    text: list[str] = []
    gap, end = 0.0, 0
    for match in _PIECE.finditer(array):
        if match[3]:
            if match[3].strip():
                raise Odd("neither a string nor a number")
        elif match[2]:
            if gap or not codes:
                raise Odd("a gap that is written in two parts, or before the text")
            gap = float(match[2])
        else:
            if gap <= -FAR:
                text.append(" ")
            elif not -CLOSE <= gap < 3 * CLOSE:
                raise Odd("a gap that may be a space or not")
            elif codes:
                _remember(array[end : match.start(1)])
            codes.append(string_bytes(match[1]))
            text.append(font.decode(codes[-1]))
            gap, end = 0.0, match.end()
    if codes and -CLOSE <= gap < 3 * CLOSE:
        _remember(array[end:])
    return b"".join(codes), "".join(text)


# Gaps as they are written that are surely no space: the same few come again and again.
_small_gaps = {b""}


def _remember(gap: bytes) -> None:
    if len(_small_gaps) >= _MOST_GAPS:
        _small_gaps.clear()
        _small_gaps.add(b"")
    _small_gaps.add(gap)
