"""All guesses at what bundle.toml should say about a bulk file."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.accounts import account_key
from domain.periods import BulkFile
from splitter.guessing.labels import Candidate, guess, pages_with_several
from splitter.guessing.regions import RegionGuess, Separator, guess_region, guess_separator
from splitter.text.patterns import Box, compile_patterns
from splitter.workers.page_facts import ask_of_pages, bookmarks_of
from splitter.workers.parent import Closing, WorkerPool

_ANYTHING = BulkFile(form="utility-bill", file="", account=r"([0-9]{4,})")


@dataclass(slots=True)
class Sample(Closing):
    """
    Some pages of a bulk file: the first ones, and others from all over the file.

    Close it, or use it in a `with`. `texts` are by the pages' numbers, counted from 0. Raises
    Refused (pdf-unreadable) for a file that is not sound.
    """

    path: Path
    most_pages: int
    pages: int = field(init=False)
    is_tagged: bool = field(init=False)
    texts: dict[int, str] = field(init=False)
    _pool: WorkerPool = field(init=False)

    def __post_init__(self) -> None:
        self._pool = WorkerPool(self.path, compile_patterns(_ANYTHING))
        self.pages, self.is_tagged = self._pool.pages, self._pool.is_tagged
        chosen = _chosen(self.pages, self.most_pages)
        try:
            self.texts = dict(zip(chosen, self._asked("show", chosen), strict=True))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._pool.close()

    def bookmarks(self) -> list[tuple[int, str]]:
        """Return the file's bookmarks, each with its level; none where they cannot be read."""
        return [(level, title) for level, title in bookmarks_of(self._pool, _MOST_BOOKMARKS)]

    def text_positions(self, pattern: str) -> dict[int, list[tuple[str, Box]]]:
        """Return what a pattern finds on each page, and where it stands there as displayed."""
        chosen = list(self.texts)
        found = self._asked("find", chosen, pattern=pattern)
        return {
            page: [(value, (box[0], box[1], box[2], box[3])) for value, box in several]
            for page, several in zip(chosen, found, strict=True)
        }

    def _asked(self, what: str, pages: Sequence[int], **more: str) -> list[Any]:
        return ask_of_pages(self._pool, what, pages, **more)


def _chosen(pages: int, most_pages: int) -> list[int]:
    first = range(min(pages, -(-most_pages // 2)))
    step = max(1, pages // max(1, most_pages // 2))
    return sorted({*first, *range(0, pages, step)})[:most_pages]


@dataclass(frozen=True, slots=True)
class BookmarkGuess:
    """Bookmarks that seem to name the accounts: at which level, how many, and what finds them."""

    level: int
    bookmarks: int
    pattern: str
    values: tuple[str, ...]


_MOST_BOOKMARKS, _FEWEST_NAMING = 100_000, 2
_TITLE = re.compile(r"^(\D*?)\b([0-9](?:[0-9A-Z.\-]*[0-9A-Z])?)(?![0-9A-Z])")
_FEWEST_SIGNS = 4


def guess_bookmarks(bookmarks: Iterable[tuple[int, str]]) -> BookmarkGuess | None:
    """
    Guess which bookmarks, given with their levels, name accounts; None: none seem to.

    Nearly all of a level do, in the same words, and nearly no two the same.
    """
    levels: defaultdict[int, list[str]] = defaultdict(list)
    for level, title in bookmarks:
        levels[level].append(title)
    for level, titles in sorted(levels.items()):
        found = [match for title in titles if (match := _TITLE.match(title))]
        told = Counter(match[1] for match in found if len(account_key(match[2])) >= _FEWEST_SIGNS)
        label, count = told.most_common(1)[0] if told else ("", 0)
        values = tuple(dict.fromkeys(match[2] for match in found if match[1] == label))
        if count >= _FEWEST_NAMING and 10 * min(count, len(values)) >= 9 * len(titles):
            pattern = f"^{re.escape(label)}([0-9][0-9A-Z.-]*[0-9A-Z])"
            return BookmarkGuess(level, len(titles), pattern, values[:3])
    return None


KINDS = ("account", "amount_due", "due_date")
SHOWN_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Guesses:
    """
    The likeliest patterns by kind, a separator's text and a region, each if there is one.

    `bookmarks` are those that seem to name accounts. `several` tells on how many pages the account
    pattern finds more than one account: then the region decides, or a person.
    """

    candidates: dict[str, list[Candidate]]
    separator: Separator | None
    region: RegionGuess | None
    several: int
    bookmarks: BookmarkGuess | None = None

    @property
    def account(self) -> Candidate | None:
        return next(iter(self.candidates["account"]), None)


def guess_all(sample: Sample) -> Guesses:
    """Guess at patterns; a region only where pages print several numbers that are like accounts."""
    texts = list(sample.texts.values())
    candidates = {kind: guess(kind, texts)[:SHOWN_CANDIDATES] for kind in KINDS}
    account = next((found.pattern for found in candidates["account"]), None)
    several = pages_with_several(account, texts) if account else 0
    region = (
        guess_region(sample.text_positions(account), sample.texts) if account and several else None
    )
    bookmarks = guess_bookmarks(sample.bookmarks())
    return Guesses(candidates, guess_separator(account, texts), region, several, bookmarks)
