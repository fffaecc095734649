"""One page read until it is certain what it says; runs in a child process."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from domain.accounts import account_key
from domain.bills import PageFacts
from splitter.direct_text.page_facts import DirectFacts
from splitter.pdf.pages import UserUnits, in_points
from splitter.reading.ocr import facts_by_ocr, is_picture
from splitter.text.normalizing import has_spaced_letters, text_checksum
from splitter.text.page_facts import NearMissSearch, Reading, find_accounts, is_conclusive, to_facts
from splitter.text.patterns import Box, Patterns, to_page_space
from splitter.text.pdfium import PdfiumDocument, PdfiumPage, TextPosition, find_text_positions

if TYPE_CHECKING:
    from pypdf import PdfReader


SAMPLE_EVERY = 512  # pages
REOPEN_EVERY = 16_384  # pages: pdfium keeps some five kilobytes of each that it read
PROOF_EVERY, PROOF_FIRST = 32, 4  # pages that are read both ways where there are two


class ReadersDisagree(Exception):
    """The direct reader says of a page something else than the engines; it is not asked again."""


class DocumentText:
    """A document's pages as text; the second and third engine are asked only in doubt."""

    def __init__(
        self,
        source: Path | bytes,
        patterns: Patterns,
        user_units: UserUnits = in_points,
        plain: DirectFacts | None = None,
    ) -> None:
        self._plain = plain
        self._user_units = user_units if patterns.region else in_points  # they cost some time
        self._source = source
        self._patterns = patterns
        self._near_miss_search = NearMissSearch.of(patterns)
        self._document = PdfiumDocument(source)
        self._engine_pages = 0
        self._reader: PdfReader | None = None
        self._reader_failed = False

    @property
    def pages(self) -> int:
        return self._document.pages

    def close(self) -> None:
        self._document.close()

    def facts(self, number: int) -> tuple[PageFacts, str]:
        """
        Return what a page says, and its text; raises ReadersDisagree.

        A page that is plainly written is read at once where there is a direct reader. The first
        pages and then every PROOF_EVERY-th are read by the engines as well; unless both say the
        very same, nothing that the direct reader said of any page may be believed.
        """
        plain = self._plain.facts(number) if self._plain is not None else None
        if plain is not None and number >= PROOF_FIRST and number % PROOF_EVERY:
            return plain
        read = self._facts_by_engines(number)
        if plain is not None and _told(*plain) != _told(*read):
            self._plain = None
            raise ReadersDisagree(f"about page {number + 1}")
        return read

    def _facts_by_engines(self, number: int) -> tuple[PageFacts, str]:
        """
        Return what the engines say of a page.

        The fast text settles a page that names its account. Whoever calls a page nameless gives
        it to the bill before it, so that must be beyond doubt: nothing like an account anywhere,
        or all engines agreeing. Every SAMPLE_EVERY-th such page is put together from its characters
        in any case: where that shows anything, all engines are asked.
        """
        self._engine_pages += 1
        if self._engine_pages % REOPEN_EVERY == 0:
            self._document.close()
            self._document = PdfiumDocument(self._source)
        unit = self._user_units(number)
        page = PdfiumPage(self._document, number, self._patterns.region, unit)
        try:
            fast = page.reading()
            if is_conclusive(fast, self._patterns) or self._is_surely_nameless(number, page, fast):
                facts, text = to_facts(number, [fast], self._patterns), fast.text
            elif not fast.text and page.is_blank() and not page.has_marks():
                return PageFacts(number), ""
            else:
                facts, text = self._facts_in_doubt(number, page, fast)
            return self._as_seen(number, page, facts, text)
        finally:
            page.close()

    def _as_seen(
        self, number: int, page: PdfiumPage, facts: PageFacts, text: str
    ) -> tuple[PageFacts, str]:
        """
        Take from a page's facts the accounts that stand in text which nobody sees.

        A copier's text under a picture is as doubtful as OCR: where pages are read so, two readings
        of the picture may name the account.
        """
        if facts.by_ocr or not (facts.accounts or facts.elsewhere):
            return facts, text
        unseen = page.unseen(self._patterns.account)
        if not unseen:
            return facts, text
        hidden = {account_key(account) for account in unseen}
        if self._patterns.ocr and not page.has_marks():
            unit = page.frame().user_unit
            shown = facts_by_ocr(self._document, number, unit, self._patterns)
            if shown and {account_key(account) for account in shown[0].accounts} == hidden:
                return shown
        facts = replace(
            facts,
            accounts=_without(facts.accounts, hidden),
            elsewhere=_without(facts.elsewhere, hidden),
            unseen=unseen,
            doubt="",
        )
        return facts, text

    def text(self, number: int) -> str:
        """Return a page's text as patterns see it."""
        page = PdfiumPage(self._document, number, None)
        try:
            fast = page.reading()
            text = page.rebuilt()[0].text if fast.is_broken else fast.text
            return page.rebuilt()[1].text if has_spaced_letters(text) else text
        finally:
            page.close()

    def text_positions(self, number: int, pattern: re.Pattern[str]) -> list[TextPosition]:
        """Return what a pattern finds on a page, and where it stands."""
        return find_text_positions(self._document, number, self._user_units(number), pattern)

    def _is_surely_nameless(self, number: int, page: PdfiumPage, fast: Reading) -> bool:
        if find_accounts(fast, self._patterns)[0] or not self._near_miss_search.surely_names_none(
            fast
        ):
            return False
        is_sample = number % SAMPLE_EVERY == SAMPLE_EVERY // 2
        if is_sample and not self._near_miss_search.surely_names_none(page.rebuilt()[0]):
            return False
        return not page.has_marks()

    def _facts_in_doubt(
        self, number: int, page: PdfiumPage, fast: Reading
    ) -> tuple[PageFacts, str]:
        close, spaced = page.rebuilt()
        readings = [close] if fast.is_broken else [fast, close]
        if is_conclusive(close, self._patterns):
            return to_facts(number, readings, self._patterns), close.text
        if not find_accounts(close, self._patterns)[0]:
            readings.append(spaced)

        region = self._patterns.region
        third = self._third_opinion(number, to_page_space(region, page.frame()) if region else None)
        if shown := self._shown_by_picture(number, page, [*readings, third]):
            return shown
        facts = to_facts(
            number,
            [*readings, third] if third else readings,
            self._patterns,
            is_blank=page.is_blank() and not page.has_marks(),
            is_whole=third is not None and not page.has_marks(),
        )
        return facts, readings[0].text

    def _shown_by_picture(
        self, number: int, page: PdfiumPage, readings: Sequence[Reading | None]
    ) -> tuple[PageFacts, str] | None:
        if not self._patterns.ocr or not is_picture(readings) or page.has_marks():
            return None
        return facts_by_ocr(self._document, number, page.frame().user_unit, self._patterns)

    def _third_opinion(self, page: int, box: Box | None) -> Reading | None:
        from splitter.pdf.pypdf_reader import PYPDF_FAILURES, large_files_allowed, open_reader
        from splitter.text.pypdf import pypdf_reading

        with large_files_allowed():
            if self._reader is None and not self._reader_failed:
                try:
                    self._reader = open_reader(self._source)
                except PYPDF_FAILURES:
                    self._reader_failed = True
            return pypdf_reading(self._reader, page, box) if self._reader else None


def _without(accounts: tuple[str, ...], hidden: Collection[str]) -> tuple[str, ...]:
    return tuple(account for account in accounts if account_key(account) not in hidden)


def _told(facts: PageFacts, text: str) -> tuple[PageFacts, int]:
    return facts, text_checksum(text)
