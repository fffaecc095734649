"""The table in which a font tells what its codes mean (ISO 32000-1, 9.10.3)."""

from __future__ import annotations

import re

from splitter.syntax import Odd

MOST_BYTES = 1 << 20
_HEX = rb"<([0-9A-Fa-f]+)>"
_PAIR = re.compile(_HEX + _HEX)
_RANGE = re.compile(_HEX + _HEX + rb"(?:" + _HEX + rb"|\[([0-9A-Fa-f<>]*)\])")


def read_cmap(table: bytes, digits: int) -> dict[int, str]:
    """
    Return what the codes mean, those of so many hexadecimal digits.

    Raises Odd for a table with other codes. A code that has two meanings has none.
    """
    if len(table) > MOST_BYTES:
        raise Odd("a long table")
    found: dict[int, str] = {}
    doubtful: set[int] = set()
    for part in b"".join(table.split()).split(b"beginbf")[1:]:
        section, _, _ = part.partition(b"endbf")
        is_ranges = section.startswith(b"range")
        rows = section.removeprefix(b"range" if is_ranges else b"char")
        for code, sign in _ranges(rows, digits) if is_ranges else _pairs(rows, digits):
            if found.setdefault(code, sign) != sign:
                doubtful.add(code)
    return {code: sign for code, sign in found.items() if code not in doubtful}


def _pairs(section: bytes, digits: int) -> list[tuple[int, str]]:
    _check(_PAIR, section)
    return [(_code(code, digits), _text(sign)) for code, sign in _PAIR.findall(section)]


def _ranges(section: bytes, digits: int) -> list[tuple[int, str]]:
    _check(_RANGE, section)
    told: list[tuple[int, str]] = []
    for low, high, sign, signs in _RANGE.findall(section):
        first, last = _code(low, digits), _code(high, digits)
        if first > last or first >> 8 != last >> 8:
            raise Odd("a range over more than one row")
        if sign:
            told += _counted(first, last, _text(sign))
        else:
            listed = [_text(one) for one in re.findall(_HEX, signs)]
            if len(listed) != last - first + 1:
                raise Odd("a range that is not listed wholly")
            told += enumerate(listed, first)
    return told


def _counted(first: int, last: int, sign: str) -> list[tuple[int, str]]:
    if first == last:
        return [(first, sign)]
    if len(sign) != 1 or (ord(sign) & 0xFF) + last - first > 0xFF:
        raise Odd("a range that cannot be counted")
    return [(code, chr(ord(sign) + code - first)) for code in range(first, last + 1)]


def _check(row: re.Pattern[bytes], section: bytes) -> None:
    if row.sub(b"", section):
        raise Odd("not rows of codes")


def _code(code: bytes, digits: int) -> int:
    if len(code) != digits:
        raise Odd("codes of another length")
    return int(code, 16)


def _text(sign: bytes) -> str:
    if len(sign) % 4:
        raise Odd("half a sign")
    return bytes.fromhex(sign.decode()).decode("utf-16-be")
