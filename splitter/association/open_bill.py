"""The bill that is being put together, page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from domain.bills import BillRange, PageFacts
from domain.money import Money
from splitter.association.clues import Clues, checksums
from splitter.association.looks import Look
from splitter.association.numbering import Numbering


@dataclass(slots=True)
class OpenBill:
    """The pages of a bill so far, and what the next page is compared with."""

    account: str
    key: str
    pages: list[int] = field(default_factory=list)
    text_checksums: list[int] = field(default_factory=list)
    amount_due: Money | None = None
    due_on: date | None = None
    amounts: set[Money] = field(default_factory=set)  # all that its pages show as the amount due
    due_dates: set[date] = field(default_factory=set)
    number: tuple[int, int] | None = None  # the last page number that counts its pages
    first_number: tuple[int, int] | None = None
    missing: list[str] = field(default_factory=list)  # numbers that were passed over
    pages_since_number: int = 0
    printed: tuple[int, int] | None = None  # the last printed "page x of y"
    has_page_one: bool = False
    has_ocr: bool = False
    ids: frozenset[int] | None = None  # longer numbers on its first page; None: not looked at
    seen: set[Look] = field(default_factory=set)  # kinds of its nameless pages
    kin: dict[str, None] = field(default_factory=dict)
    is_ruled: bool = False
    loose: int = 0  # see BillRange
    gap: str = ""  # what the file's own numbers say is missing behind it

    def add(
        self,
        page: PageFacts,
        clues: Clues,
        numbering: Numbering,
        *,
        counts: bool,
        is_anchored: bool = True,
    ) -> None:
        """
        Take a page in; `counts` is false where its number is not the bill's.

        `is_anchored`: something on the page, or behind it, says that it is this bill's.
        """
        self.loose = 0 if is_anchored else self.loose + 1
        if not self.pages and clues.folded:
            self.ids = frozenset(checksums(clues.exact))
        self.pages.append(page.page)
        self.text_checksums.append(page.text_checksum)
        self.has_ocr = self.has_ocr or page.by_ocr
        if self.amount_due is None and page.amounts:
            self.amount_due = page.amounts[0]
        if self.due_on is None and page.due_dates:
            self.due_on = page.due_dates[0]
        self.amounts.update(page.amounts)
        self.due_dates.update(page.due_dates)
        if page.number is not None:
            self.printed = page.number
            self.has_page_one = self.has_page_one or page.number[0] == 1
        number = numbering.number(clues.numbers) if counts else None
        if number is None:
            self.pages_since_number += 1
        else:
            self._count(number)

    def is_complete(self) -> bool:
        """Say whether its last page as printed was the last of so many."""
        return self.printed is not None and self.printed[0] == self.printed[1]

    def to_range(self, numbering: Numbering) -> BillRange:
        return BillRange(
            self.account,
            tuple(sorted(self.pages)),
            self.amount_due,
            self.due_on,
            tuple(mark for _, mark in sorted(zip(self.pages, self.text_checksums, strict=True))),
            lacks=self._lacks(numbering),
            kin=tuple(self.kin),
            is_ruled=self.is_ruled,
            loose=self.loose,
        )

    def _count(self, number: tuple[int, int]) -> None:
        if self.number is None:
            self.first_number = number
        elif number[1] == self.number[1]:
            place, step = self.number[0], number[0] - self.number[0]
            if step > 1 + self.pages_since_number:
                self.missing.append(
                    f"{place + 1}" if step == 2 else f"{place + 1} to {number[0] - 1}"
                )
        self.number = number
        self.pages_since_number = 0

    def _lacks(self, numbering: Numbering) -> str:
        """Say in a sentence which pages are missing; nothing where it is whole or not known."""
        if self.gap:
            return self.gap
        if self.number is None or self.first_number is None:
            return ""
        if self.missing:
            return f"Its page {self.missing[0]} of {self.number[1] or '?'} is missing."
        first, last = self.first_number, self.number
        has_all = numbering.counts_backs and len(self.pages) >= last[1]
        if last[1] and last[0] < last[1] and not has_all:
            return f"It ends with page {last[0]} of {last[1]}."
        is_late = first[0] > 1 + self._before_first()
        if first[1] and is_late and numbering.begins_with_number:
            return f"It begins with page {first[0]} of {first[1]}."
        return ""

    def _before_first(self) -> int:
        """Count the pages before the first number, as far as that can be told."""
        if self.first_number is None or self.number is None:
            return 0
        return max(0, len(self.pages) - (self.number[0] - self.first_number[0]) - 1)
