"""The bookmarks of a file, in order: some writers name the account there and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.failures import Refused
from splitter.pdf.destinations import Destinations
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import UnsupportedPdf, reference, string_bytes

_DEEPEST = 64  # levels; what is nested deeper is no list of bills
# Signs of the encoding of PDF's own strings that stand elsewhere in Latin 1.
_PDF_SIGNS = str.maketrans({0x84: "\u2014", 0x85: "\u2013", 0x8A: "\u2212", 0x90: "\u2019"})


class BrokenOutline(Exception):
    """The bookmarks are not a tree, or one of them cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A bookmark: its level, 1 being the outermost, and the page it leads to, counted from 0."""

    level: int
    title: str
    page: int | None  # None: it leads to no page of the file


def read_bookmarks(tree: PageTree) -> list[Bookmark]:
    """
    Return all bookmarks of a file as they stand below each other; raises BrokenOutline.

    Each is looked at once, so thousands take no longer each than a few.
    """
    destinations = Destinations(tree)
    return [
        Bookmark(level, text_of(tree.source, entries), destinations.page_of(entries))
        for level, entries in _walked(tree.source)
    ]


def bookmark_titles(source: SourceFile, most: int) -> list[tuple[int, str]]:
    """Return the titles of a file's first bookmarks with their levels, as far as they are sound."""
    titles: list[tuple[int, str]] = []
    try:
        for level, entries in _walked(source):
            titles.append((level, text_of(source, entries)))
            if len(titles) >= most:
                break
    except BrokenOutline:
        return titles  # nothing depends on them but a better sentence
    return titles


def _walked(source: SourceFile) -> Iterator[tuple[int, Mapping[bytes, bytes]]]:
    """Yield each bookmark with its level; those below one come right behind it."""
    seen: set[int] = set()
    count = 0
    try:
        catalog = source.dictionary(b"%d 0 R" % source.root)
        root = source.value(catalog.get(b"/Outlines", b"null"))
        if root == b"null":
            return
        waiting = [(1, source.dictionary(root).get(b"/First", b"null"))]
        while waiting:
            level, raw = waiting.pop()
            number = reference(raw)
            if number is not None:
                if number in seen:
                    raise BrokenOutline(f"they go round in a circle behind number {count}")
                seen.add(number)
            if source.value(raw) == b"null":
                continue
            if level > _DEEPEST:
                raise BrokenOutline(f"number {count + 1} lies more than {_DEEPEST} levels deep")
            entries = source.dictionary(raw)
            count += 1
            yield level, entries
            waiting.append((level, entries.get(b"/Next", b"null")))
            waiting.append((level + 1, entries.get(b"/First", b"null")))
    except (UnsupportedPdf, Refused, ValueError):
        raise BrokenOutline(f"number {count + 1} is damaged") from None


def text_of(source: SourceFile, entries: Mapping[bytes, bytes], key: bytes = b"/Title") -> str:
    """Return a text of a dictionary, whatever way it is encoded; nothing where there is none."""
    raw = source.value(entries.get(key, b"null"))
    if raw == b"null":
        return ""
    written = string_bytes(raw)
    if written.startswith((b"\xfe\xff", b"\xff\xfe")):
        return written.decode("utf-16", "replace")
    if written.startswith(b"\xef\xbb\xbf"):
        return written[3:].decode("utf-8", "replace")
    return written.decode("latin-1").translate(_PDF_SIGNS)
