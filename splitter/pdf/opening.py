"""The first look at a bulk file: is it a sound PDF with pages?"""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from pathlib import Path

from domain.failures import Refused
from domain.words import say_count
from splitter.pdf.objects import PypdfFailed
from splitter.pdf.pages import BrokenPageTree, PageTree, walk_pages
from splitter.pdf.source import SourceFile

_HEADING = 1024  # bytes, in which readers look for the beginning


def open_source(path: Path, *, is_portfolio: bool = False) -> tuple[SourceFile, PageTree]:
    """
    Open a sound bulk file for copying; raises Refused (pdf-unreadable) with what to do.

    Nothing is repaired: a repair may lose a page without a word, and that page is somebody's bill.
    With `is_portfolio` it is known that the bills are files attached to it.
    """
    _check_beginning(path)
    source = _opened(path, is_plain=True)
    try:
        pages = walk_pages(source)
    except (BrokenPageTree, Refused):
        source = _opened(path, is_plain=False)  # pypdf may understand it, or say what is wrong
        pages = _walked(path, source)
    if not len(pages):
        raise _refused(path, "has no pages; please export it again.")
    _check_kind(path, source, is_portfolio=is_portfolio)
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
            beginning = file.read(_HEADING)
    except OSError as failure:
        raise _refused(path, f"cannot be opened: {failure.strerror}.") from None
    if not beginning:
        raise _refused(path, "is empty; please export it again.")
    if beginning.startswith(b"%PDF-"):
        return
    before = beginning.find(b"%PDF-")
    if before > 0:
        raise _refused(
            path,
            f"has {say_count(before, 'byte')} before its PDF begins, such as a mail's or a"
            " printer's heading; please export it without them.",
        )
    raise _refused(path, "is not a PDF file; please export the bills as PDF.")


def _why_not_strict(path: Path) -> Refused:
    from splitter.pdf.pypdf_reader import opens_by_guessing

    if _is_for_a_certificate(path):
        return _refused(path, "is encrypted to a certificate; please export it without encryption.")
    if not opens_by_guessing(path):
        return _refused(path, "is cut off or damaged; please export it again.")
    return _refused(path, "is damaged; it could only be opened by guessing, so export it again.")


def _is_for_a_certificate(path: Path) -> bool:
    """Say whether the file's security is that of public keys (ISO 32000-1, 7.6.4)."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        return mapped.find(b"Adobe.PubSec") >= 0 and mapped.find(b"/Encrypt") >= 0


def _check_kind(path: Path, source: SourceFile, *, is_portfolio: bool) -> None:
    """Refuse a file whose pages are not its bills: they stand in attachments, or in a script."""
    catalog = source.dictionary(b"%d 0 R" % source.root)
    if b"/Collection" in catalog and not is_portfolio:
        raise _refused(
            path,
            "is a portfolio: its bills are files attached to a cover page; say by ="
            ' "attachments" in [[documents]], or export one PDF of all bills.',
        )
    form = source.dictionary(catalog[b"/AcroForm"]) if b"/AcroForm" in catalog else {}
    if b"/XFA" in form and source.value(catalog.get(b"/NeedsRendering", b"")) == b"true":
        raise _refused(
            path,
            "is an XFA form, whose pages only Adobe's programs draw; please print it to a PDF.",
        )


def _refused(path: Path, what: str) -> Refused:
    return Refused("pdf-unreadable", f"{path.name} {what}")
