"""What a plainly written page says where that is beyond doubt, without asking a library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from domain.bills import PageFacts
from domain.failures import Refused
from splitter.direct_text.fonts import DirectFont
from splitter.direct_text.page_text import DirectPage, DirectText, Drawings, Pages
from splitter.pdf.source import ObjectSource
from splitter.pdf.syntax import UnsupportedPdf
from splitter.text.page_facts import (
    NearMissSearch,
    Reading,
    is_conclusive,
    is_separator,
    label_of,
    to_facts,
)
from splitter.text.patterns import Patterns

_NOT_PLAIN = (UnsupportedPdf, Refused, ValueError, LookupError, ArithmeticError, AssertionError)
_A_PAGE_NUMBER = re.compile("page[0-9]+of[0-9]")
_TRIED, _WORTH_WHILE = 64, 0.5  # pages, and the share of them that must have been plain


class DirectFacts:
    """
    Says what pages say, or nothing where a library must be asked.

    A page is settled that names one account, or that surely names none and bears no marks, or
    that is a separator. Amount and due date are one or none, and where there is none their label
    must not stand on the page. Where few pages of a file are plain no more are tried.
    `is_compared`: whoever asks compares the text, but for white space, with another reader's.
    """

    def __init__(
        self,
        source: ObjectSource,
        pages: Pages,
        patterns: Patterns,
        fonts: Mapping[bytes, DirectFont | None] = MappingProxyType({}),
        drawings: Drawings = MappingProxyType({}),
        *,
        is_compared: bool = False,
    ) -> None:
        self._text = DirectText(source, pages, fonts, drawings, is_compared=is_compared)
        self._patterns = patterns
        self._lenient = NearMissSearch.of(patterns)
        self._labels = [_label(pattern) for pattern in (patterns.amount_due, patterns.due_on)]
        self._tried = self._settled = 0

    @property
    def fonts(self) -> Mapping[bytes, DirectFont | None]:
        """The fonts that were read, to be known by the next reader of the same ones."""
        return self._text.fonts

    @property
    def drawings(self) -> Drawings:
        """What the forms show that were read, to be known by the next reader of the same ones."""
        return self._text.drawings

    def facts(self, number: int) -> tuple[PageFacts, str] | None:
        """Return what a page says, and its text; None for a page that is not plain or certain."""
        if self._patterns.region is not None:
            return None
        if self._tried >= _TRIED and self._settled < _WORTH_WHILE * self._tried:
            return None
        self._tried += 1
        try:
            page = self._text.read(number)
            found = self._concluded(number, page)
        except _NOT_PLAIN:
            return None
        if found is None:
            return None
        self._settled += 1
        return found, page.text

    def _concluded(self, number: int, page: DirectPage) -> PageFacts | None:
        facts = self._read(number, page, page.text)
        if page.as_standing is not page.text and facts != self._read(
            number, page, page.as_standing
        ):
            return None  # it depends on whether lines are read as drawn or as they stand
        return facts

    def _read(self, number: int, page: DirectPage, text: str) -> PageFacts | None:
        reading = Reading(text, text)
        if is_separator(reading, self._patterns):
            return PageFacts(number, is_separator=True)
        is_named = is_conclusive(reading, self._patterns)
        if not is_named and not self._lenient.surely_names_none(reading):
            return None
        facts = to_facts(number, [reading], self._patterns)
        if len(facts.accounts) != is_named or not self._is_certain(facts, reading):
            return None
        if not is_named and not self._text.has_no_marks(page.entries):
            return None
        return facts

    def _is_certain(self, facts: PageFacts, reading: Reading) -> bool:
        """Say whether what was found is all there is to find."""
        if len(facts.amounts) > 1 or len(facts.due_dates) > 1:
            return False
        missing = [
            label
            for label, values in zip(self._labels, (facts.amounts, facts.due_dates), strict=True)
            if label is not None and not values
        ]
        if not missing and facts.number is not None:
            return True
        characters = reading.folded
        if any(not label or label in characters for label in missing):
            return False
        return facts.number is not None or not _A_PAGE_NUMBER.search(characters)


def _label(pattern: re.Pattern[str] | None) -> str | None:
    """Return the label of a pattern: nothing where none can be told, None without a pattern."""
    if pattern is None:
        return None
    return label_of(pattern.pattern) if not pattern.flags & re.VERBOSE else ""
