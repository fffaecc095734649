"""The first look at a bulk file: is it a sound PDF with pages?"""

from __future__ import annotations

from pathlib import Path

from domain.failures import Refused
from splitter.pdf.objects import PypdfFailed
from splitter.pdf.pages import BrokenPageTree, PageTree, walk_pages
from splitter.pdf.source import SourceFile


def open_bulk_file(path: Path) -> int:
    """
    Return the number of pages of a sound bulk file.

    Nothing is repaired: a repair may lose a page without a word, and that page is somebody's
    bill. Raises Refused (pdf-unreadable) with what to do.
    """
    _, pages = open_source(path)
    return len(pages)


def open_source(path: Path) -> tuple[SourceFile, PageTree]:
    """Open a sound bulk file for copying; raises Refused (pdf-unreadable)."""
    _check_beginning(path)
    source = _opened(path, is_plain=True)
    try:
        pages = walk_pages(source)
    except (BrokenPageTree, Refused):
        source = _opened(path, is_plain=False)  # pypdf may understand it, or say what is wrong
        pages = _walked(path, source)
    if not len(pages):
        raise _refused(path, "has no pages; please export it again.")
    return source, pages


def _opened(path: Path, *, is_plain: bool) -> SourceFile:
    try:
        source = SourceFile(path, is_plain=is_plain)
        is_locked = not source.is_plain and source.pypdf.is_locked
    except PypdfFailed:
        raise _why_not_strict(path) from None
    if is_locked:
        raise _refused(path, "is locked by a password; please export it without one.")
    return source


def _walked(path: Path, source: SourceFile) -> PageTree:
    try:
        return walk_pages(source)
    except (BrokenPageTree, Refused):
        raise _refused(
            path, "is damaged: its list of pages is broken; please export it again."
        ) from None


def _check_beginning(path: Path) -> None:
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError as failure:
        raise _refused(path, f"cannot be opened: {failure.strerror}.") from None
    if not beginning:
        raise _refused(path, "is empty; please export it again.")
    if not beginning.startswith(b"%PDF-"):
        raise _refused(path, "is not a PDF file; please export the bills as PDF.")


def _why_not_strict(path: Path) -> Refused:
    from splitter.pdf.pypdf_reader import opens_by_guessing

    if not opens_by_guessing(path):
        return _refused(path, "is cut off or damaged; please export it again.")
    return _refused(path, "is damaged; it could only be opened by guessing, so export it again.")


def _refused(path: Path, what: str) -> Refused:
    return Refused("pdf-unreadable", f"{path.name} {what}")
