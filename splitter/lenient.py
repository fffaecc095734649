"""A generous search for whatever could be an account: what it does not find is not there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from splitter.evidence import Reading
from splitter.patterns import Patterns
from splitter.wording import is_wholly_legible, squashed

FEWEST_SIGNS = 4  # a shorter label stands on every page
_PIECE = re.compile(r"\\.|\[(?:\\.|\]|\^\]?)?(?:\\.|[^\]\\])*\]|\{[0-9,]*\}[?+]?|.", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9,]*\}[?+]?")


@dataclass(frozen=True, slots=True)
class LenientSearch:
    """
    Finds out cheaply that a page surely names no account.

    Most pages that go on name none, and asking a second engine about each would cost ten times
    the first reading. So they are searched once more in a way that cannot miss: for the label
    that the pattern demands, without regard to spaces, line ends, letters' case or the direction
    of drawing. Where that is found but no account was, or where the pattern has no label, the
    page is looked at with all engines.
    """

    label: str

    @classmethod
    def of(cls, patterns: Patterns) -> LenientSearch:
        is_plain = not patterns.account.flags & re.VERBOSE
        label = label_of(patterns.account.pattern) if is_plain else ""
        return cls(label if len(label) >= FEWEST_SIGNS else "")

    def surely_names_none(self, reading: Reading) -> bool:
        """Say whether a reading that names no account is to be trusted alone."""
        text = reading.text
        if not self.label or not is_wholly_legible(text) or reading.is_broken:
            return False
        signs = squashed(text).casefold()
        return self.label not in signs and self.label[::-1] not in signs


@lru_cache
def label_of(pattern: str) -> str:
    """
    Return the longest plain text that every match of a regular expression holds.

    Without white space and in small letters; nothing where that cannot be told.
    """
    runs, run, depth = [""], "", 0
    for piece in _PIECE.findall(pattern):
        if piece == "|" and not depth:
            return ""
        depth += (piece == "(") - (piece == ")")
        if depth or piece == ")":
            runs, run = [*runs, run], ""
        elif _QUANTIFIER.fullmatch(piece):
            if run.endswith(" "):
                continue  # white space does not count, however much
            runs, run = [*runs, run if piece[0] == "+" else run[:-1]], ""
        elif piece in (" ", r"\s", r"\ "):
            run += " "
        elif (sign := _literal(piece)) is not None:
            run += sign
        else:
            runs, run = [*runs, run], ""
    return max((squashed(found) for found in [*runs, run]), key=len).casefold()


def _literal(piece: str) -> str | None:
    """Return the sign that a piece of a regular expression stands for, if it is just one."""
    if len(piece) == 2 and piece[0] == "\\":
        return None if piece[1].isalnum() else piece[1]
    return None if len(piece) > 1 or piece in ".^$" else piece
