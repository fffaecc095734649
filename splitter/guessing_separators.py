"""A guess at the text of separator pages, which belong to nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from splitter.guess_words import SEPARATORS
from splitter.guessing import DOUBTFUL, LIKELY, SURE
from splitter.wording import squashed

MOST_WORDS = 30  # on a page: what separates bills says little
MOST_LABEL_WORDS = 6
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


@dataclass(frozen=True, slots=True)
class Separator:
    """A text that stands on pages without an account alone; on `pages` of those looked at."""

    text: str
    pages: int
    confidence: str

    @property
    def is_told(self) -> bool:
        """Whether it is likely enough to be put in unasked."""
        return self.confidence != DOUBTFUL


def guess_separator(account: str | None, texts: Sequence[str]) -> Separator | None:
    """
    Return the likeliest text of separator pages, or nothing where no page looks like one.

    It must stand on no page that names an account, and on no other page that says much: a page
    that is taken for a separator is lost to its bill. One that no telling word speaks for is
    doubtful, as it may be the last page of each bill.
    """
    search = re.compile(account) if account else None
    others = [text for text in texts if _is_of_a_bill(search, text)]
    said = squashed("\n".join(others))
    counts: Counter[str] = Counter()
    for text in texts:
        if text.strip() and not _is_of_a_bill(search, text):
            counts.update({line for line in map(_label, text.splitlines()) if line})
    found = [
        Separator(line, count, _confidence(line, count))
        for line, count in counts.items()
        if squashed(line) not in said and (count > 1 or _tells(line))
    ]
    return max(found, key=lambda one: (_tells(one.text), one.pages, len(one.text)), default=None)


def _is_of_a_bill(search: re.Pattern[str] | None, text: str) -> bool:
    if len(text.split()) > MOST_WORDS:
        return True
    return search is not None and search.search(text) is not None


def _label(line: str) -> str:
    """Return a line's words without the numbers at its ends: a count, a date, a batch."""
    label = _EDGES.sub("", line)
    return label if 0 < len(label.split()) <= MOST_LABEL_WORDS and len(label) > 2 else ""


def _tells(line: str) -> bool:
    return bool(SEPARATORS & set(re.findall(r"[^\W\d_]+", line.lower())))


def _confidence(line: str, pages: int) -> str:
    if not _tells(line):
        return DOUBTFUL
    return SURE if pages > 1 else LIKELY
