"""A page's text as the patterns expect it, whatever the engine made of the signs."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable
from itertools import accumulate

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe58\ufe63\uff0d\ufffe\x02"
_SPACES = (
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_NOTHING = "\u200b\u200c\u200d\u2060\ufeff\x00"
_SIGNS = (
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_NOTHING, "")
    | {"\ufb01": "fi", "\ufb02": "fl"}
)
# Neither plain signs nor Latin letters: to look for one is much faster than to translate each sign.
_EXOTIC = re.compile("[^\x01\x03-\x7f\xa1-\xac\xae-\u024f]")
_DASH_GAP = re.compile(r"-(?<=[0-9]-)[ \t]+(?=[0-9])")  # the dash first: it is found faster
_LETTER = re.compile(r"[^\W_]")
_UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff\x01-\x08\x0b\x0e-\x1f]")

MOST_SHORT_LINES = 0.25  # a share; letter by letter text has 0.6 and more
FEWEST_LINES = 8


def normalized(text: str) -> str:
    """Replace exotic dashes, spaces and line ends by the plain ones patterns are written for."""
    if not text.isascii() or "\x02" in text or "\x00" in text:
        text = _EXOTIC.sub(_plain, text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain(match: re.Match[str]) -> str:
    """Return digits of other scripts and letters as wide as an ideograph as ours; ² is no digit."""
    sign = match.group()
    if (shown := _SIGNS.get(sign)) is not None:
        return shown
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return unicodedata.normalize("NFKC", sign) if "\uff01" <= sign <= "\uff5e" else sign


def without_dash_gaps(text: str) -> str:
    """
    Join `12- 345678- 90`, which is what characters drawn one by one look like.

    Only within a line: an account is never put together from two lines.
    """
    return _DASH_GAP.sub("-", text) if "- " in text or "-\t" in text else text


def places_of_signs(raw: str, searched: str) -> Callable[[int], int]:
    """
    Return what tells for a place in the text that is searched where its sign is in the engine's.

    `searched` is the engine's text normalized and without gaps behind dashes.
    """
    line_ends = raw.count("\r\n")
    if len(raw) - len(searched) == line_ends == searched.count("\n"):
        return lambda place: place + searched.count("\n", 0, place + 1)
    signs = re.findall("\r\n|.", raw, re.DOTALL)
    starts = accumulate(map(len, signs), initial=0)
    places = [at for sign, at in zip(signs, starts, strict=False) for _ in normalized(sign)]
    shown = normalized(raw)
    gaps = {at for gap in _DASH_GAP.finditer(shown) for at in range(gap.start() + 1, gap.end())}
    return [at for place, at in enumerate(places) if place not in gaps].__getitem__


def without_spaces(text: str) -> str:
    """Return the text without any white space."""
    return "".join(text.split())


def text_checksum(text: str) -> int:
    """Return a checksum of a page's text without regard to white space."""
    return zlib.crc32(without_spaces(text).encode("utf-8", "surrogatepass"))


def looks_broken(text: str) -> bool:
    """
    Say whether an engine broke lines between single letters.

    Such text still matches patterns, with half an account number, so it is not to be trusted.
    """
    lines = text.splitlines()
    if len(lines) < FEWEST_LINES:
        return False
    short = [line for line in lines if len(line) < 12]
    most = MOST_SHORT_LINES * len(lines)
    return len(short) > most and sum([len(line.strip()) <= 2 for line in short]) > most


def has_spaced_letters(text: str) -> bool:
    """Say whether letters are set so wide apart that an engine puts spaces between them."""
    words = text.split()
    return sum([len(word) == 1 for word in words]) > len(words) / 2


def is_legible(text: str) -> bool:
    """Say whether letters and digits outnumber the signs of a font without a character table."""
    unknown = 0 if _is_plain(text) else len(_UNKNOWN.findall(text))
    return len(_LETTER.findall(text)) > unknown if unknown else bool(_LETTER.search(text))


def is_wholly_legible(text: str) -> bool:
    """Say whether there is text and no sign in it whose meaning the font does not tell."""
    return bool(_LETTER.search(text)) and (_is_plain(text) or not _UNKNOWN.search(text))


def _is_plain(text: str) -> bool:
    """Say quickly of the usual text that all its signs are letters, digits and the like."""
    return text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()
