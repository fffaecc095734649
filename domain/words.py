"""How counts are written for people, and what was meant by a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def say_count(number: int, noun: str, plural: str = "") -> str:
    """Write `1 bill`, `2,000 bills`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def say_code(code: str) -> str:
    """Write a code that has no words of its own as words: `returned-in-part`, `last_name`."""
    return code.replace("-", " ").replace("_", " ")


class Worded(str):
    """A text as programs read it, with what people read in its place."""

    __slots__ = ("words",)

    words: str

    def __new__(cls, text: str, words: str) -> Worded:
        made = super().__new__(cls, text)
        made.words = words
        return made


def to_sentence(words: str) -> str:
    """Return words as a sentence of their own: with a capital letter before and a stop behind."""
    return f"{words[:1].upper()}{words[1:]}."


def say_meant(written: str, known: Iterable[str], *, closeness: float = 0.7) -> str:
    """Ask whether the nearest of what is known was meant: ` (did you mean list?)`; "": none is."""
    by_letters = {one.casefold(): one for one in known}
    near = get_close_matches(written.casefold(), list(by_letters), n=1, cutoff=closeness)
    return f" (did you mean {by_letters[near[0]]}?)" if near else ""
