"""What is wrong with a call of `billclose split`, said before or instead of any writing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from domain.bills import PageAssignment
from domain.failures import Misuse

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
