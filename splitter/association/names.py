"""Names and addresses of customers as numbers: to be found on a page without being kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from zlib import adler32, crc32

_BARE = str.maketrans(dict.fromkeys(" -.,/#:;'\"()*$%&_\t", " ") | {"’": " "})
_ADDRESS = re.compile(
    r"(?<![\w.,$/-])\d{1,6}[a-z]?(?: [^\W\d_][\w'.-]*){1,5}(?: (?:apt|unit|#|no)?\.? ?\w{1,5}\b)?"
)
_GREETING = re.compile(
    r"^(?:dear|estimad[oa]s?|hello|attn|attention|for|to|mr|mrs|ms|sr|sra|c/o)\b\.?:?\s*", re.I
)
_STREETS_TEXT = (
    "st street ave avenue av rd road dr drive ln lane ct court blvd boulevard pl place way cir "
    "circle ter terrace hwy highway pkwy parkway trl trail loop sq square"
)
_STREETS = frozenset(_STREETS_TEXT.split())
_UNITS = frozenset(["apt", "unit", "suite", "ste", "no", "lot", "fl"])
FEWEST_LETTERS = 6  # of a name of one word
LONGEST_NAME, SHORT_LINE = 5, 9  # words
_SIEVE_BITS = 24


def mark_of(words: Iterable[str]) -> int:
    """Return a mark of some words: 64 bits, the same in every process."""
    told = " ".join(words).encode("utf-8", "surrogatepass")
    return adler32(told) << 32 | crc32(told)


def marks_of_name(name: str) -> set[int]:
    """Return the marks by which a customer's name is known again; "Doe, Jane" is Jane Doe."""
    words = words_of(name)
    if not words or len(words) > LONGEST_NAME + 3:
        return set()
    if len(words) == 1 and len(words[0]) < FEWEST_LETTERS:
        return set()
    marks = {mark_of(sorted(words))}
    whole = [word for word in words if len(word) > 1]  # without initials
    if len(whole) >= 2:
        marks.add(mark_of(sorted(whole)))
    return marks


def marks_of_address(address: str) -> set[int]:
    """Return the marks of a service address: the whole, and without the kind of street."""
    words = words_of(address)
    if len(words) < 2 or not words[0][0].isdigit():
        return set()
    return {mark_of(("@", *words))} | {
        mark_of(("@", *short)) for short in (_shortened(words),) if short
    }


def words_of(text: str) -> list[str]:
    return text.lower().translate(_BARE).split()


def _shortened(words: list[str]) -> list[str]:
    """Leave out what is written in several ways: Street, St."""
    kept = [word for word in words if word not in _STREETS and word not in _UNITS]
    return kept if 2 <= len(kept) < len(words) else []


def marks_on(low: str) -> Iterator[int]:
    """
    Yield the marks of all that may be a name or an address on a page, in small letters.

    In short lines every run of words counts, in long ones how they begin, what follows a colon and
    any number with words behind it.
    """
    for line in low.split("\n"):
        bare = line.translate(_BARE).split()
        if bare and len(bare) <= SHORT_LINE:
            yield from _runs(bare)
        elif bare:
            yield from _beginnings(words_of(_GREETING.sub("", line)))
            if ":" in line:
                yield from _beginnings(words_of(line.split(":", 1)[1]))
        if any(map(str.isdigit, line)):
            for match in _ADDRESS.finditer(line):
                yield from _addresses(words_of(match.group()))


def _runs(words: list[str]) -> Iterator[int]:
    if len(words) == 1 and len(words[0]) >= FEWEST_LETTERS:
        yield mark_of(words)
    letters = [word for word in words if word not in ("dear", "attn")]
    for start in range(len(letters)):
        if letters[start][0].isdigit():
            continue
        for end in range(start + 2, min(len(letters), start + LONGEST_NAME) + 1):
            yield mark_of(sorted(letters[start:end]))


def _beginnings(words: list[str]) -> Iterator[int]:
    for end in range(2, min(len(words), LONGEST_NAME) + 1):
        yield mark_of(sorted(words[:end]))


def _addresses(words: list[str]) -> Iterator[int]:
    for end in range(2, len(words) + 1):
        yield mark_of(("@", *words[:end]))
        if short := _shortened(words[:end]):
            yield mark_of(("@", *short))


class Sieve:
    """
    Tells quickly which marks are surely no customer's; a few that are not pass as well.

    Small enough to be given to every process that reads.
    """

    def __init__(self, bits: bytes = b"") -> None:
        self._bits = bits

    @classmethod
    def of(cls, marks: Iterable[int]) -> Sieve:
        size = 1 << _SIEVE_BITS - 3
        bits = bytearray(size)
        for mark in marks:
            bits[mark >> 3 & size - 1] |= 1 << (mark & 7)
        return cls(bytes(bits))

    def __bool__(self) -> bool:
        return bool(self._bits)

    def passed(self, low: str) -> tuple[int, ...]:
        """Return the marks of a page's text that may be a customer's."""
        bits = self._bits
        size = len(bits) - 1
        return tuple(dict.fromkeys(m for m in marks_on(low) if bits[m >> 3 & size] >> (m & 7) & 1))

    @property
    def bits(self) -> bytes:
        return self._bits


NO_NAMES = Sieve()
