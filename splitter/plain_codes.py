"""What the codes of a font show and how wide that is, looked up at once."""

from __future__ import annotations

from codecs import charmap_decode
from collections.abc import Mapping
from typing import Protocol


class PlainFont(Protocol):
    """A font; both raise ValueError or KeyError for a code that is not known to show a sign."""

    code_bytes: int

    def decode(self, codes: bytes) -> str: ...

    def width(self, codes: bytes) -> float:
        """Return the width of all codes together, in thousandths of the font's height."""
        ...


class OneByteFont:
    code_bytes = 1

    def __init__(self, signs: Mapping[int, str], widths: Mapping[int, float]) -> None:
        self._table = _table(
            {code: sign for code, sign in signs.items() if widths.get(code, 0) > 0}
        )
        self._width = [widths.get(code, 0.0) for code in range(256)].__getitem__

    def decode(self, codes: bytes) -> str:
        return charmap_decode(codes, "strict", self._table)[0]

    def width(self, codes: bytes) -> float:
        return sum(map(self._width, codes))


class TwoByteFont:
    """A font of which most codes in use are below 256, so that the other half is always 0."""

    code_bytes = 2

    def __init__(self, signs: Mapping[int, str], widths: Mapping[int, float], usual: float) -> None:
        known = {code: sign for code, sign in signs.items() if widths.get(code, usual) > 0}
        self._low = _table({code: sign for code, sign in known.items() if code < 256})
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


def _table(signs: Mapping[int, str]) -> str | dict[int, str]:
    """Return what is decoded by at once, the quick way where each code is one sign."""
    if all(len(sign) == 1 for sign in signs.values()):
        return "".join(signs.get(code, "\ufffe") for code in range(256))
    return dict(signs)
