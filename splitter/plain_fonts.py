"""Fonts that tell plainly what their codes mean and how wide their signs are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from splitter.plain_cmaps import read_cmap
from splitter.plain_codes import OneByteFont, PlainFont, TwoByteFont
from splitter.plain_widths import STANDARD_WIDTHS
from splitter.raw_objects import decoded
from splitter.source import SourceFile
from splitter.syntax import Odd, items, reference
from splitter.true_type import has_roman_table

# What engines agree about: no soft hyphens, no exotic spaces or dashes, nothing from right to left.
_AGREED = re.compile("[ -~\u00a1-\u00ac\u00ae-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022]+")
_LIGATURES = {"\ufb01": "fi", "\ufb02": "fl"}
_ASCII = {code: chr(code) for code in range(32, 127)}
_LATIN = _ASCII | {code: chr(code) for code in range(0xA1, 0x100) if code != 0xAD}
_STANDARD = {code: sign for code, sign in _ASCII.items() if sign not in "'`"}
_SYMBOLIC = 4


def read_font(source: SourceFile, raw: bytes) -> PlainFont:
    """Return a font given by reference or directly; raises Odd for one that is not plain."""
    entries = source.dictionary(raw)
    kind = entries.get(b"/Subtype")
    if kind == b"/Type0":
        return _two_byte_font(source, entries)
    if kind not in (b"/TrueType", b"/Type1"):
        raise Odd("an unusual kind of font")
    widths = _one_byte_widths(source, entries)
    signs = _told(source, entries, digits=2) or _encoded(source, entries)
    return OneByteFont(signs, widths)


def _told(source: SourceFile, entries: Mapping[bytes, bytes], digits: int) -> dict[int, str]:
    """Return what the font's own table says about its codes; nothing without such a table."""
    raw = entries.get(b"/ToUnicode")
    if raw is None:
        return {}
    number = reference(raw)
    if number is None or source.get(number).stream is None:
        raise Odd("a table that is not in a stream")
    found = read_cmap(decoded(source.get(number)), digits)
    told = {code: _LIGATURES.get(sign, sign) for code, sign in found.items()}
    return {code: sign for code, sign in told.items() if _AGREED.fullmatch(sign)}


def _encoded(source: SourceFile, entries: Mapping[bytes, bytes]) -> Mapping[int, str]:
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
    raise Odd("codes whose meaning must be guessed")


def _standard_name(entries: Mapping[bytes, bytes]) -> str:
    return entries.get(b"/BaseFont", b"/").decode("latin-1")[1:]


def _one_byte_widths(source: SourceFile, entries: Mapping[bytes, bytes]) -> Mapping[int, float]:
    if b"/Widths" not in entries:
        standard = STANDARD_WIDTHS.get(_standard_name(entries))
        if standard is None or b"/FontDescriptor" in entries:
            raise Odd("no widths")
        return standard
    first = int(source.value(entries.get(b"/FirstChar", b"0")))
    widths = items(source.value(entries[b"/Widths"]))
    return {first + place: float(width) for place, width in enumerate(widths)}


def _two_byte_font(source: SourceFile, entries: Mapping[bytes, bytes]) -> TwoByteFont:
    if source.value(entries.get(b"/Encoding", b"")) != b"/Identity-H":
        raise Odd("codes that are not the font's own")
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
                raise Odd("more codes than there are")
            widths |= dict.fromkeys(range(int(first), last + 1), width)
    return widths
