"""What `billclose split` tells: which page went where, and what needs a person."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    pass
    from splitter.bulk_file.filing import FiledBill
    from splitter.bulk_file.splitting import Filed


LONGEST_ACCOUNT = 64  # signs: what is longer is a sentence, not a number


def check_file(file: Path) -> None:
    """Raise Misuse where there is no file to split."""
    if file.is_dir():
        raise Misuse(f"{file} is a folder; give the PDF file in it.")
    if not file.exists():
        raise Misuse(f"There is no file {file}.")


def check_folder(folder: Path) -> None:
    """Raise Misuse where nothing could be written: reading a large file first would be in vain."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise Misuse(f"--to {folder} cannot be a folder: {there} is a file; give another folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Misuse(f"--to {folder} cannot be written: you may not write in {there}.")


def check_accounts(assignment: PageAssignment) -> None:
    """Raise Misuse where the pattern finds more than a number; the text is not repeated here."""
    for bill in assignment.bills:
        if len(bill.account) > LONGEST_ACCOUNT or "\n" in bill.account:
            raise Misuse(
                f"--account finds a whole piece of text on page {bill.pages[0] + 1}; put the"
                " parentheses around the number alone."
            )


def file_names(folder: Path) -> frozenset[str]:
    """Return the files that are in a folder already."""
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def page_ranges(pages: Iterable[int]) -> list[tuple[int, int]]:
    """Put pages that follow each other together, first and last."""
    ranges: list[tuple[int, int]] = []
    for page in pages:
        if ranges and ranges[-1][1] == page - 1:
            ranges[-1] = ranges[-1][0], page
        else:
            ranges.append((page, page))
    return ranges


def notes(figures: SplitFigures) -> list[str]:
    """Return sentences about patterns that found nothing and files that were there before."""
    bills = figures.assignment.bills
    if not bills:
        file = shlex.quote(str(figures.file))
        return [
            "No page names an account as --account says, so there is nothing to write;"
            f" `billclose pattern {file}` shows the text and likely patterns."
        ]
    told = []
    if figures.asked_amount and all(bill.amount_due is None for bill in bills):
        told.append("No bill shows an amount due as --amount-due says.")
    if figures.asked_due_date and all(bill.due_on is None for bill in bills):
        told.append("No bill shows a due date as --due-date says.")
    return told + _of_folder(figures)


def _of_folder(figures: SplitFigures) -> list[str]:
    if figures.outcome is None or not figures.before:
        return []
    written = {bill.path for bill in figures.outcome.bills}
    told = []
    if replaced := len(written & figures.before):
        told.append(
            f"{say_count(replaced, 'file')} of that name in {figures.folder} were replaced."
        )
    if others := len(figures.before - written):
        told.append(
            f"{say_count(others, 'other file')} in {figures.folder} were there before and are not"
            " of this run."
        )
    return told


TWICE = "Its account occurs in two places of the file."
MAY_GO_ON = "The page after its last belongs to nobody, and may be its."
MOST_LINES = 20


def clean_bills(assignment: PageAssignment) -> tuple[PageAssignment, dict[BillRange, str]]:
    """
    Return the assignment without the bills that a person must look at, and those with the reason.

    A bill that may lack a page, or an account that has two, is not to leave.
    """
    places = Counter(account_key(bill.account) for bill in assignment.bills)
    nobodys = {unassigned.page for unassigned in assignment.unassigned}
    held: dict[BillRange, str] = {}
    for bill in assignment.bills:
        if places[account_key(bill.account)] > 1:
            held[bill] = TWICE
        elif bill.pages[-1] + 1 in nobodys:
            held[bill] = MAY_GO_ON
        elif bill.lacks:
            held[bill] = bill.lacks
    return replace(assignment, bills=tuple(b for b in assignment.bills if b not in held)), held


@dataclass(frozen=True, slots=True)
class SplitFigures:
    """`outcome` is None for a dry run."""

    file: Path
    folder: Path
    pages: int
    assignment: PageAssignment
    held: dict[BillRange, str]
    outcome: Filed | None
    before: frozenset[str] = frozenset()  # files that were in the folder
    asked_amount: bool = False
    asked_due_date: bool = False

    @property
    def needs_person(self) -> bool:
        problems = self.outcome.problems if self.outcome else ()
        return bool(self.held or self.assignment.unassigned or problems)

    def to_json(self) -> dict[str, Any]:
        """Pages are counted from 1, as people count them."""
        status = "needs-person" if self.needs_person else "done"
        filed = {found.first_page: found for found in (self.outcome.bills if self.outcome else ())}
        written = [bill for bill in self.assignment.bills if bill not in self.held]
        return {
            "status": "dry-run" if self.outcome is None else status,
            "file": str(self.file),
            "pages": self._counts(),
            "copies": {
                "read_back": self.outcome.read_back if self.outcome else 0,
                "audited": self.outcome.audited if self.outcome else 0,
            },
            "bills": [_bill(bill, filed.get(bill.pages[0])) for bill in written],
            "held": [_bill(bill, None) | {"reason": reason} for bill, reason in self.held.items()],
            "read_by_ocr": [page + 1 for page in self.assignment.by_ocr],
            "separators": [page + 1 for page in self.assignment.separators],
            "unassigned": [
                {"page": found.page + 1, "reason": found.reason, "signals": list(found.signals)}
                for found in self.assignment.unassigned
            ],
            "problems": [
                {"account": found.account, "message": found.message}
                for found in (self.outcome.problems if self.outcome else ())
            ],
            "notes": [*notes(self), *self.assignment.warnings],
        }

    def to_text(self) -> str:
        counts = self._counts()
        written = [bill for bill in self.assignment.bills if bill not in self.held]
        lines = [
            f"{self.file.name}: {counts['total']:,} pages,"
            f" {len(self.outcome.bills) if self.outcome else len(written):,} bills"
            f" {'would go' if self.outcome is None else 'written'} to {self.folder},"
            f" {counts['separators']:,} separator pages."
        ]
        if self.outcome is None:
            lines += [f"  {_pages(bill):>13}  {bill.account}" for bill in written]
        if self.assignment.by_ocr:
            pages = ", ".join(str(page + 1) for page in self.assignment.by_ocr[:MOST_LINES])
            more = "" if len(self.assignment.by_ocr) <= MOST_LINES else ", …; --json lists all"
            lines.append(f"Read by OCR, so compare account and amount with the page: {pages}{more}")
        troubles = _unassigned(self.assignment)
        troubles += [
            f"{_pages(bill)}: the bill of {bill.account} is held back. {reason}"
            for bill, reason in self.held.items()
        ]
        troubles += [found.message for found in (self.outcome.problems if self.outcome else ())]
        if troubles:
            lines.append(f"A person must look at {say_count(len(troubles), 'thing')}:")
            lines += [f"  {trouble}" for trouble in troubles[:MOST_LINES]]
        if len(troubles) > MOST_LINES:
            lines.append(f"  … and {len(troubles) - MOST_LINES:,} more; --json lists all.")
        return "\n".join([*lines, *notes(self), *self.assignment.warnings])

    def _counts(self) -> dict[str, int]:
        return {
            "total": self.pages,
            "billed": sum(len(bill.pages) for bill in self.assignment.bills),
            "separators": len(self.assignment.separators),
            "unassigned": len(self.assignment.unassigned),
        }


def _bill(bill: BillRange, document: FiledBill | None) -> dict[str, Any]:
    return {
        "account": bill.account,
        "first_page": bill.pages[0] + 1,
        "pages": len(bill.pages),
        "amount_due": None if bill.amount_due is None else str(bill.amount_due),
        "due_date": None if bill.due_on is None else bill.due_on.isoformat(),
        "pdf": document.path if document else None,
        "sha256": document.sha256 if document else None,
    }


def _unassigned(assignment: PageAssignment) -> list[str]:
    """Return a line for pages that follow each other and are nobody's for the same reason."""
    lines = []
    for reason, pages in groupby(assignment.unassigned, attrgetter("reason")):
        for first, last in page_ranges(found.page for found in pages):
            lines.append(f"{_from_to(first, last)}: {reason}")
    return lines


def _pages(bill: BillRange) -> str:
    return _from_to(bill.pages[0], bill.pages[-1])


def _from_to(first: int, last: int) -> str:
    return f"page {first + 1}" if first == last else f"pages {first + 1}-{last + 1}"
