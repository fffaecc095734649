"""What the readings of one page, by one or several engines, together say about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import TypeVar

from domain.accounts import account_key
from domain.bills import PageFacts
from domain.dates import parse_date
from domain.money import Money
from splitter.text.normalizing import (
    is_legible,
    is_wholly_legible,
    looks_broken,
    without_dash_gaps,
    without_spaces,
)
from splitter.text.patterns import PAGE_NUMBER, Patterns

V = TypeVar("V", Money, date)
Accounts = tuple[tuple[str, ...], bool]  # one spelling each, and whether all ended cleanly

_CALLED_OTHER = re.compile(
    r"\b(?:former|previous|prior|old|other|related|linked|another|neighbou?r|landlord|anterior)"
    r"\s*\Z",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"(?<=[-.])\s+[0-9]")  # the number was broken after a separator
_SCRAP_FOLLOWS = re.compile(r"[ \t]*\n[ \t]*[0-9.\-]{1,2}[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class Reading:
    """
    One engine's text of a page, normalised; `region` is the part the account is looked for in.

    `by_position` is true where characters come in the order in which they stand on the page, not
    in which they were drawn: digits drawn backwards make a wrong account of the right form.
    """

    text: str
    region: str
    by_position: bool = True

    @cached_property
    def is_broken(self) -> bool:
        return looks_broken(self.text)

    @cached_property
    def without_spaces(self) -> str:
        return without_spaces(self.text)

    @cached_property
    def folded(self) -> str:
        """The text without spaces and in small letters, in which labels are looked for."""
        return self.without_spaces.casefold()

    @cached_property
    def is_legible(self) -> bool:
        return is_legible(self.text)

    @cached_property
    def searched(self) -> str:
        """The text in which accounts are looked for."""
        return without_dash_gaps(self.region)

    def matches(self, account: re.Pattern[str]) -> list[re.Match[str]]:
        """Return what an account pattern finds; several questions are about the same matches."""
        for asked, found in self._asked:
            if asked is account:
                return found
        found = list(account.finditer(self.searched))
        self._asked.append((account, found))
        return found

    @cached_property
    def named(self) -> list[tuple[re.Pattern[str], Accounts]]:
        """What `find_accounts` found in it, by the patterns that it was asked about."""
        return []

    @cached_property
    def _asked(self) -> list[tuple[re.Pattern[str], list[re.Match[str]]]]:
        return []


def find_accounts(reading: Reading, patterns: Patterns) -> Accounts:
    """Return the accounts a reading names, one spelling each, and whether all ended cleanly."""
    for asked, accounts in reading.named:
        if asked is patterns.account:
            return accounts
    reading.named.append((patterns.account, _find_accounts(reading, patterns)))
    return reading.named[-1][1]


def _find_accounts(reading: Reading, patterns: Patterns) -> Accounts:
    found: dict[str, str] = {}
    is_whole = reading.region is reading.text
    is_clean = not (reading.is_broken if is_whole else looks_broken(reading.region))
    text = reading.searched
    for match in reading.matches(patterns.account):
        account = (match[1] or "").strip()
        if key := account_key(account):
            found.setdefault(key, account)
            is_clean = is_clean and not _GOES_ON.match(text, match.end(1))
    return tuple(found.values()), is_clean


def doubt_of(reading: Reading, patterns: Patterns) -> str:
    """
    Say what speaks against the account that a page names, by how it stands there; mostly nothing.

    `over-line`: on another line than its label, whose own value may be missing. `cut`: letters or
    digits follow at once. `other-label`: it is called a former account, or another's. How usual
    that is in its file decides what it means.
    """
    text = reading.searched
    doubts = [_doubt(text, match) for match in reading.matches(patterns.account) if match[1]]
    return min(doubts, key=len) if doubts else ""


def _doubt(text: str, match: re.Match[str]) -> str:
    start, end = match.span(1)
    if end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        return "cut"
    if start == match.start() and start and text[start - 1].isalnum():
        return "cut"
    if "\n" in text[match.start() : start]:
        return "over-line"
    before = text[max(0, match.start() - 40) : match.start()].rpartition("\n")[2]
    return "other-label" if _CALLED_OTHER.search(before) else ""


def is_conclusive(reading: Reading, patterns: Patterns) -> bool:
    """Say whether one reading is enough: a separator, or an account read without doubt."""
    if is_separator(reading, patterns):
        return True
    if reading.is_broken:
        return False
    accounts, is_clean = find_accounts(reading, patterns)
    return bool(accounts) and is_clean and not _scrap_follows(reading, patterns)


def _scrap_follows(reading: Reading, patterns: Patterns) -> bool:
    """Say whether one or two digits stand alone below an account: they may be its end."""
    ends = (match.end(1) for match in reading.matches(patterns.account))
    return any(_SCRAP_FOLLOWS.match(reading.searched, end) for end in ends)


def is_separator(reading: Reading, patterns: Patterns) -> bool:
    return bool(patterns.separator) and patterns.separator in reading.without_spaces


def to_facts(
    page: int,
    readings: Sequence[Reading],
    patterns: Patterns,
    *,
    is_blank: bool = False,
    is_whole: bool = True,
) -> PageFacts:
    """
    Put together what all readings of a page say.

    Different accounts are all reported, so that the page goes to a person. `is_whole` is false
    where an engine failed: then "names no account" cannot be said. An account that only an engine
    in drawing order found must stand on the page in that order.
    """
    if any(is_separator(reading, patterns) for reading in readings):
        return PageFacts(page, is_separator=True)

    accounts, is_certain = _agreed_accounts(readings, patterns)
    texts = [reading.text for reading in readings]
    is_certain = is_certain and (bool(accounts) or is_whole)
    return PageFacts(
        page=page,
        accounts=accounts,
        amounts=_first_values(texts, patterns.amount_due, Money.parse),
        due_dates=_first_values(texts, patterns.due_on, parse_date),
        has_text=is_blank or (is_certain and any(reading.is_legible for reading in readings)),
        number=_page_number(texts),
        doubt=doubt_of(_naming(readings, patterns), patterns) if accounts else "",
        elsewhere=_elsewhere(readings, patterns, accounts),
    )


def _naming(readings: Sequence[Reading], patterns: Patterns) -> Reading:
    """Return the first reading that names an account."""
    naming = (reading for reading in readings if find_accounts(reading, patterns)[0])
    return next(naming, readings[0])


def _elsewhere(
    readings: Sequence[Reading], patterns: Patterns, accounts: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the accounts that stand outside the region, where there is one."""
    if patterns.region is None:
        return ()
    inside = {account_key(account) for account in accounts}
    found: dict[str, str] = {}
    for reading in readings:
        for match in patterns.account.finditer(without_dash_gaps(reading.text)):
            account = (match[1] or "").strip()
            if (key := account_key(account)) and key not in inside:
                found.setdefault(key, account)
    return tuple(found.values())


def _agreed_accounts(
    readings: Sequence[Reading], patterns: Patterns
) -> tuple[tuple[str, ...], bool]:
    found: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    for reading in readings:
        accounts, is_clean = find_accounts(reading, patterns)
        is_certain = is_clean and (reading.by_position or _stand_in_order(accounts, readings))
        for account in accounts:
            (found if is_certain else doubtful).setdefault(account_key(account), account)
    # half a number does not speak against the whole one that another engine read
    doubts = {key for key in doubtful if not any(key in whole for whole in found)}
    if doubts and found:
        return tuple(found.values()) + tuple(doubtful[key] for key in sorted(doubts)), True
    return tuple(found.values() or doubtful.values()), not doubts


def _stand_in_order(accounts: Iterable[str], readings: Sequence[Reading]) -> bool:
    standing = [account_key(reading.text) for reading in readings if reading.by_position]
    return all(any(account_key(account) in text for text in standing) for account in accounts)


def _first_values(
    texts: Sequence[str], pattern: re.Pattern[str] | None, parse: Callable[[str], V]
) -> tuple[V, ...]:
    for text in texts if pattern is not None else ():
        values: dict[V, None] = {}
        for match in pattern.finditer(text) if pattern is not None else ():
            try:
                values.setdefault(parse(match[1] or ""))
            except ValueError:
                continue  # what cannot be read is not there; the bill-amount check will say so
        if values:
            return tuple(values)
    return ()


def _page_number(texts: Sequence[str]) -> tuple[int, int] | None:
    for text in texts:
        numbers = {(int(match[1]), int(match[2])) for match in _page_number_matches(text)}
        if numbers:
            return numbers.pop() if len(numbers) == 1 else None
    return None


def _page_number_matches(text: str) -> Iterator[re.Match[str]]:
    """Yield what PAGE_NUMBER finds; where its word stands is told faster without it."""
    low = text.lower()
    if len(low) != len(text):  # a sign that is two in small letters moves those behind it
        yield from PAGE_NUMBER.finditer(text)
        return
    at = low.find("page")
    while at >= 0:
        match = PAGE_NUMBER.match(text, at)
        if match is not None:
            yield match
        at = low.find("page", at + 1 if match is None else match.end())


FEWEST_SIGNS = 4  # a shorter label stands on every page
_PIECE = re.compile(r"\\.|\[(?:\\.|\]|\^\]?)?(?:\\.|[^\]\\])*\]|\{[0-9,]*\}[?+]?|.", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9,]*\}[?+]?")


@dataclass(frozen=True, slots=True)
class NearMissSearch:
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
    def of(cls, patterns: Patterns) -> NearMissSearch:
        is_plain = not patterns.account.flags & re.VERBOSE
        label = label_of(patterns.account.pattern) if is_plain else ""
        return cls(label if len(label) >= FEWEST_SIGNS else "")

    def surely_names_none(self, reading: Reading) -> bool:
        """Say whether a reading that names no account is to be trusted alone."""
        text = reading.text
        if not self.label or not is_wholly_legible(text) or reading.is_broken:
            return False
        characters = reading.folded
        return self.label not in characters and self.label[::-1] not in characters


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
    return max((without_spaces(found) for found in [*runs, run]), key=len).casefold()


def _literal(piece: str) -> str | None:
    """Return the sign that a piece of a regular expression stands for, if it is just one."""
    if len(piece) == 2 and piece[0] == "\\":
        return None if piece[1].isalnum() else piece[1]
    return None if len(piece) > 1 or piece in ".^$" else piece
