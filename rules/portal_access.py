"""When a password is good enough, a name is the one on file, and a path is one of our own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

SHORTEST_PASSWORD = 12  # characters; ASVS 5.0 V6.2.1 and NIST SP 800-63B ask for length alone
LONGEST_PASSWORD = 200
TOO_SHORT = (
    "Your password needs 12 characters or more. A few words that only you put together are fine."
)
TOO_LONG = "Your password may have 200 characters at most."
TRIED_FIRST = "That password is one of those that are tried first. Choose another one."
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiopasdfghjklzxcvbnm", "9876543210")
_COMMON = (
    "password", "passw0rd", "letmein", "welcome", "iloveyou", "administrator", "changeme",
    "sunshine", "princess", "football", "baseball", "superman", "trustno1", "whatever",
)  # fmt: skip
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9][A-Za-z0-9/._-]*)?(?:\?[A-Za-z0-9=&._%-]*)?")


class NameMatching(StrEnum):
    """How a last name is compared with the one on file (rule 125, ruling 24)."""

    FOLDED = "folded"  # case, accents, punctuation, spaces and a suffix do not count
    EXACT = "exact"  # case alone does not count


def find_password_fault(password: str, *near: str) -> str:
    """
    Return why a password is none, "" where it is good; `near` are words an attacker tries first.

    Length is all that is asked of its make; what everybody tries first is refused.
    """
    if len(password) < SHORTEST_PASSWORD:
        return TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return TOO_LONG
    if _is_guessed_first(password.casefold(), near):
        return TRIED_FIRST
    return ""


def is_last_name(said: str, last_name: str, name: str, matching: NameMatching) -> bool:
    """
    Tell whether what was typed is the last name on file (rule 125, ruling 24).

    A business is known by its whole name or by its first word. An empty name matches nothing.
    """
    compared = fold if matching is NameMatching.FOLDED else _exact
    wanted = compared(said)
    if not wanted:
        return False
    known = {compared(last_name)}
    if compared(last_name) == compared(name):  # a business: its name is not cut in two
        known.update(compared(word) for word in name.split()[:1])
    return wanted in known


def fold(name: str) -> str:
    """Leave of a name what is heard: no case, accents, punctuation, spaces and no suffix."""
    flat = unicodedata.normalize("NFKD", name).casefold().replace("-", " ")
    words = ["".join(filter(str.isalnum, word)) for word in re.split(r"[\s,]+", flat)]
    return "".join(word for word in words if word not in SUFFIXES)


def own_path(path: str) -> str:
    """Return a path of our own site, `/` for all else: `//evil`, a scheme, a backslash."""
    return path if _OWN_PATH.fullmatch(path) and "//" not in path else "/"


def _exact(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _is_guessed_first(password: str, near: Iterable[str]) -> bool:
    rest = password
    for word in (*_COMMON, *filter(lambda word: len(word) >= 4, map(str.casefold, near))):
        rest = rest.replace(word, "")
    if len(rest.strip("0123456789!.-_ ")) < 4 and rest != password:
        return True
    if any(password == (password[:size] * len(password))[: len(password)] for size in range(1, 5)):
        return True
    runs = (period * (len(password) // len(period) + 2) for period in _RUNS)
    return any(password in run or password in run[::-1] for run in runs)
