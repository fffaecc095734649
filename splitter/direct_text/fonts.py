"""Fonts that tell plainly what their codes mean and how wide their signs are."""

from __future__ import annotations

import re
import struct
import unicodedata
from codecs import charmap_decode
from collections.abc import Mapping
from typing import Protocol

from splitter.pdf.objects import decoded
from splitter.pdf.source import ObjectSource
from splitter.pdf.syntax import UnsupportedPdf, items, reference

MOST_BYTES = 1 << 20
_HEX = rb"<([0-9A-Fa-f]+)>"
_PAIR = re.compile(_HEX + _HEX)
_RANGE = re.compile(_HEX + _HEX + rb"(?:" + _HEX + rb"|\[([0-9A-Fa-f<>]*)\])")


def read_cmap(table: bytes, digits: int) -> dict[int, str]:
    """
    Return what the codes mean, those of so many hexadecimal digits.

    Raises UnsupportedPdf for a table with other codes. A code that has two meanings has none.
    """
    if len(table) > MOST_BYTES:
        raise UnsupportedPdf("a long table")
    found: dict[int, str] = {}
    doubtful: set[int] = set()
    for part in b"".join(table.split()).split(b"beginbf")[1:]:
        section, _, _ = part.partition(b"endbf")
        is_ranges = section.startswith(b"range")
        rows = section.removeprefix(b"range" if is_ranges else b"char")
        for code, character in _ranges(rows, digits) if is_ranges else _pairs(rows, digits):
            if found.setdefault(code, character) != character:
                doubtful.add(code)
    return {code: character for code, character in found.items() if code not in doubtful}


def _pairs(section: bytes, digits: int) -> list[tuple[int, str]]:
    _check(_PAIR, section)
    return [(_code(code, digits), _text(character)) for code, character in _PAIR.findall(section)]


def _ranges(section: bytes, digits: int) -> list[tuple[int, str]]:
    _check(_RANGE, section)
    told: list[tuple[int, str]] = []
    for low, high, character, characters in _RANGE.findall(section):
        first, last = _code(low, digits), _code(high, digits)
        if first > last or first >> 8 != last >> 8:
            raise UnsupportedPdf("a range over more than one row")
        if character:
            told += _counted(first, last, _text(character))
        else:
            listed = [_text(one) for one in re.findall(_HEX, characters)]
            if len(listed) != last - first + 1:
                raise UnsupportedPdf("a range that is not listed wholly")
            told += enumerate(listed, first)
    return told


def _counted(first: int, last: int, character: str) -> list[tuple[int, str]]:
    if first == last:
        return [(first, character)]
    if len(character) != 1 or (ord(character) & 0xFF) + last - first > 0xFF:
        raise UnsupportedPdf("a range that cannot be counted")
    return [(code, chr(ord(character) + code - first)) for code in range(first, last + 1)]


def _check(row: re.Pattern[bytes], section: bytes) -> None:
    if row.sub(b"", section):
        raise UnsupportedPdf("not rows of codes")


def _code(code: bytes, digits: int) -> int:
    if len(code) != digits:
        raise UnsupportedPdf("codes of another length")
    return int(code, 16)


def _text(character: bytes) -> str:
    if len(character) % 4:
        raise UnsupportedPdf("half a sign")
    return bytes.fromhex(character.decode()).decode("utf-16-be")


class DirectFont(Protocol):
    """A font; both raise ValueError or KeyError for a code that is not known to show a sign."""

    code_bytes: int

    def decode(self, codes: bytes) -> str: ...

    def width(self, codes: bytes) -> float:
        """Return the width of all codes together, in thousandths of the font's height."""
        ...


class OneByteFont:
    code_bytes = 1

    def __init__(self, characters: Mapping[int, str], widths: Mapping[int, float]) -> None:
        self._table = _table(
            {code: character for code, character in characters.items() if widths.get(code, 0) > 0}
        )
        self._width = [widths.get(code, 0.0) for code in range(256)].__getitem__

    def decode(self, codes: bytes) -> str:
        return charmap_decode(codes, "strict", self._table)[0]

    def width(self, codes: bytes) -> float:
        return sum(map(self._width, codes))


class TwoByteFont:
    """A font of which most codes in use are below 256, so that the other half is always 0."""

    code_bytes = 2

    def __init__(
        self, characters: Mapping[int, str], widths: Mapping[int, float], usual: float
    ) -> None:
        known = {
            code: character for code, character in characters.items() if widths.get(code, usual) > 0
        }
        self._low = _table({code: character for code, character in known.items() if code < 256})
        self._low_width = [widths.get(code, usual) for code in range(256)].__getitem__
        self._signs = _Signs(known)
        self._widths, self._usual = widths, usual

    def decode(self, codes: bytes) -> str:
        if codes[::2].strip(b"\0") or len(codes) % 2:
            return codes.decode("utf-16-be").translate(self._signs)
        return charmap_decode(codes[1::2], "strict", self._low)[0]

    def width(self, codes: bytes) -> float:
        if codes[::2].strip(b"\0"):
            return sum(
                self._widths.get(ord(code), self._usual) for code in codes.decode("utf-16-be")
            )
        return sum(map(self._low_width, codes[1::2]))


class _Signs(dict[int, str]):
    def __missing__(self, code: int) -> str:
        raise ValueError("a code without a meaning")


def _table(characters: Mapping[int, str]) -> str | dict[int, str]:
    """Return what is decoded by at once, the quick way where each code is one sign."""
    if all(len(character) == 1 for character in characters.values()):
        return "".join(characters.get(code, "\ufffe") for code in range(256))
    return dict(characters)


# From code 32 to 126, as in Adobe's metrics of the standard fonts.
_HELVETICA = """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
    556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556
    556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"""
_HELVETICA_BOLD = """
    278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
    556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611
    611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"""
_TIMES = """
    250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 278 278 564 564 564 444 921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722
    556 722 667 556 611 722 722 944 722 722 611 333 278 333 469 500 333 444 500 444 500 444 333 500
    500 278 278 500 278 778 500 500 500 500 333 389 278 500 500 722 500 500 444 480 200 480 541"""
_TIMES_BOLD = """
    250 333 555 500 500 1000 833 278 333 333 500 570 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 333 333 570 570 570 500 930 722 667 722 722 667 611 778 778 389 500 778 667 944 722 778
    611 778 722 556 667 722 722 1000 722 722 667 333 278 333 581 500 333 500 556 444 556 444 333 500
    556 278 333 556 278 833 556 500 556 556 444 389 333 556 500 722 500 500 444 394 220 394 520"""


# The other signs that are no letters with accents, by their codes in WinAnsiEncoding.
_SIGNS = (
    *range(0x91, 0x98), *range(0xA1, 0xAD), *range(0xAE, 0xC0), 0xC6, 0xD0, 0xD7, 0xD8, 0xDE, 0xDF,
    0xE6, *range(0xEC, 0xF1), 0xF7, 0xF8, 0xFE,
)  # fmt: skip
_HELVETICA_SIGNS = """
    222 222 333 333 350 556 1000 333 556 556 556 556 260 556 333 737 370 556 584 737 333 400 584 333
    333 333 556 537 278 333 333 365 556 834 834 834 611 1000 722 584 778 667 611 889 278 278 278 278
    556 584 611 556"""
_HELVETICA_BOLD_SIGNS = """
    278 278 500 500 350 556 1000 333 556 556 556 556 280 556 333 737 370 556 584 737 333 400 584 333
    333 333 611 556 278 333 333 365 556 834 834 834 611 1000 722 584 778 667 611 889 278 278 278 278
    611 584 611 611"""
_TIMES_SIGNS = """
    333 333 444 444 350 500 1000 333 500 500 500 500 200 500 333 760 276 500 564 760 333 400 564 300
    300 333 500 453 250 333 300 310 500 750 750 750 444 889 722 564 722 556 500 667 278 278 278 278
    500 564 500 500"""
_TIMES_BOLD_SIGNS = """
    333 333 500 500 350 500 1000 333 500 500 500 500 220 500 333 747 300 500 570 747 333 400 570 300
    300 333 556 540 250 333 300 330 500 750 750 750 500 1000 722 570 778 611 556 722 278 278 278 278
    500 570 500 556"""


def _counted_widths(widths: str, signs: str) -> dict[int, float]:
    """Return widths by the codes of WinAnsiEncoding, which below 127 are those of all encodings."""
    found = {code: float(width) for code, width in enumerate(widths.split(), 32)}
    found |= {code: float(width) for code, width in zip(_SIGNS, signs.split(), strict=True)}
    for code in range(0xC0, 0x100):  # with an accent a letter is as wide as without
        letter = unicodedata.normalize("NFD", chr(code))[0]
        if letter.isascii() and letter != "i":
            found[code] = found[ord(letter)]
    return found


_FIXED = _counted_widths("600 " * 95, "600 " * len(_SIGNS))
_SANS = _counted_widths(_HELVETICA, _HELVETICA_SIGNS)
_SANS_BOLD = _counted_widths(_HELVETICA_BOLD, _HELVETICA_BOLD_SIGNS)
STANDARD_WIDTHS: Mapping[str, Mapping[int, float]] = {
    "Courier": _FIXED,
    "Courier-Bold": _FIXED,
    "Courier-Oblique": _FIXED,
    "Courier-BoldOblique": _FIXED,
    "Helvetica": _SANS,
    "Helvetica-Oblique": _SANS,
    "Helvetica-Bold": _SANS_BOLD,
    "Helvetica-BoldOblique": _SANS_BOLD,
    "Times-Roman": _counted_widths(_TIMES, _TIMES_SIGNS),
    "Times-Bold": _counted_widths(_TIMES_BOLD, _TIMES_BOLD_SIGNS),
}


_MOST_TABLES = 64
_ROMAN = (1, 0)  # platform and encoding: Macintosh, Roman


def has_roman_table(font: bytes) -> bool:
    """
    Say whether a font counts its signs as the Macintosh did, which is ASCII below 127.

    Then the codes of a font that is called symbolic, without any table of their meaning, can be
    read. Raises UnsupportedPdf for what is no TrueType font.
    """
    try:
        (tables,) = struct.unpack_from(">H", font, 4)
        for place in range(min(tables, _MOST_TABLES)):
            tag, _, start, _ = struct.unpack_from(">4sIII", font, 12 + 16 * place)
            if tag == b"cmap":
                (count,) = struct.unpack_from(">H", font, start + 2)
                return any(
                    struct.unpack_from(">HH", font, start + 4 + 8 * row) == _ROMAN
                    for row in range(min(count, _MOST_TABLES))
                )
    except struct.error:
        raise UnsupportedPdf("not a TrueType font") from None
    return False


# What engines agree about: no soft hyphens, no exotic spaces or dashes, nothing from right to left.
_AGREED = re.compile("[ -~\u00a1-\u00ac\u00ae-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022]+")
_LIGATURES = {"\ufb01": "fi", "\ufb02": "fl"}
_ASCII = {code: chr(code) for code in range(32, 127)}
# Quotation marks, a bullet and dashes.
_MARKS = dict(enumerate("\u2018\u2019\u201c\u201d\u2022\u2013\u2014", 0x91))
_LATIN = _ASCII | _MARKS | {code: chr(code) for code in range(0xA1, 0x100) if code != 0xAD}
_STANDARD = {code: character for code, character in _ASCII.items() if character not in "'`"}
_SYMBOLIC = 4
_ENCODINGS = (b"null", b"/StandardEncoding", b"/WinAnsiEncoding", b"/MacRomanEncoding")


def read_font(source: ObjectSource, raw: bytes) -> DirectFont:
    """Return a font given by reference or directly; raises UnsupportedPdf for any other."""
    entries = source.dictionary(raw)
    kind = entries.get(b"/Subtype")
    if kind == b"/Type0":
        return _two_byte_font(source, entries)
    if kind not in (b"/TrueType", b"/Type1"):
        raise UnsupportedPdf("an unusual kind of font")
    widths = _one_byte_widths(source, entries)
    characters = _told(source, entries, digits=2) or _encoded(source, entries)
    return OneByteFont(characters, widths)


def _told(source: ObjectSource, entries: Mapping[bytes, bytes], digits: int) -> dict[int, str]:
    """Return what the font's own table says about its codes; nothing without such a table."""
    raw = entries.get(b"/ToUnicode")
    if raw is None:
        return {}
    number = reference(raw)
    if number is None or source.get(number).stream is None:
        raise UnsupportedPdf("a table that is not in a stream")
    found = read_cmap(decoded(source.get(number)), digits)
    told = {code: _LIGATURES.get(character, character) for code, character in found.items()}
    return {code: character for code, character in told.items() if _AGREED.fullmatch(character)}


def _encoded(source: ObjectSource, entries: Mapping[bytes, bytes]) -> Mapping[int, str]:
    """Return the signs of a font that has no table, as far as its encoding leaves no doubt."""
    described = source.dictionary(entries.get(b"/FontDescriptor", b"<<>>"))
    flags = source.value(described.get(b"/Flags", b"0"))
    is_symbolic = not flags.isdigit() or int(flags) & _SYMBOLIC
    encoding = source.value(entries.get(b"/Encoding", b"null"))
    is_standard = _standard_name(entries) in STANDARD_WIDTHS and not described
    if is_symbolic:
        number = reference(described.get(b"/FontFile2", b""))
        is_roman = (
            encoding == b"null"
            and entries.get(b"/Subtype") == b"/TrueType"
            and number is not None
            and has_roman_table(source.decoded(number))
        )
        if is_roman:
            return _ASCII
    elif encoding == b"/WinAnsiEncoding":
        return _LATIN
    elif encoding == b"/MacRomanEncoding":
        return _ASCII
    elif is_standard and encoding in (b"null", b"/StandardEncoding"):
        return _STANDARD
    raise UnsupportedPdf("codes whose meaning must be guessed")


def _standard_name(entries: Mapping[bytes, bytes]) -> str:
    return entries.get(b"/BaseFont", b"/").decode("latin-1")[1:]


def _one_byte_widths(source: ObjectSource, entries: Mapping[bytes, bytes]) -> Mapping[int, float]:
    if b"/Widths" not in entries:
        standard = STANDARD_WIDTHS.get(_standard_name(entries))
        encoding = source.value(entries.get(b"/Encoding", b"null"))
        if standard is None or b"/FontDescriptor" in entries or encoding not in _ENCODINGS:
            raise UnsupportedPdf("no widths")
        if encoding != b"/WinAnsiEncoding":
            return {code: width for code, width in standard.items() if code < 127}
        return standard
    first = int(source.value(entries.get(b"/FirstChar", b"0")))
    widths = items(source.value(entries[b"/Widths"]))
    return {first + place: float(width) for place, width in enumerate(widths)}


def _two_byte_font(source: ObjectSource, entries: Mapping[bytes, bytes]) -> TwoByteFont:
    if source.value(entries.get(b"/Encoding", b"")) != b"/Identity-H":
        raise UnsupportedPdf("codes that are not the font's own")
    (descendant,) = items(source.value(entries.get(b"/DescendantFonts", b"")))
    own = source.dictionary(descendant)
    widths = _two_byte_widths(items(source.value(own.get(b"/W", b"[]"))))
    usual = float(source.value(own.get(b"/DW", b"1000")))
    return TwoByteFont(_told(source, entries, digits=4), widths, usual)


def _two_byte_widths(told: list[bytes]) -> dict[int, float]:
    """Read `[code [width width] code last width]`."""
    widths: dict[int, float] = {}
    rest = iter(told)
    for first in rest:
        following = next(rest, b"")
        if following.startswith(b"["):
            widths |= {int(first) + place: float(w) for place, w in enumerate(items(following))}
        else:
            last, width = int(following), float(next(rest, b""))
            if last - int(first) > 0xFFFF:
                raise UnsupportedPdf("more codes than there are")
            widths |= dict.fromkeys(range(int(first), last + 1), width)
    return widths
