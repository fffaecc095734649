"""Where a bookmark of a file leads: which page, by whichever way its writer said it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from domain.failures import Refused
from splitter.pdf.pages import PageTree
from splitter.pdf.syntax import UnsupportedPdf, dictionary, items, plain, reference, string_bytes

_LONGEST_WAY = 8  # from a name over another to a page
_SEVERAL = -1


class BrokenTree(Exception):
    """A tree of names has a loop, or something in it that is no name."""


def names_in(tree: PageTree, root: bytes) -> Iterator[tuple[bytes, bytes]]:
    """
    Yield the names of a name tree, in its order, each with its raw value.

    It is read whole: what its limits promise may not be true. Raises BrokenTree.
    """
    source = tree.source
    waiting, seen = [root], set[int]()
    try:
        while waiting:
            raw = waiting.pop()
            number = reference(raw)
            if number is not None:
                if number in seen:
                    raise BrokenTree("it goes round in a circle")
                seen.add(number)
            node = source.dictionary(raw)
            if b"/Names" in node:
                pairs = items(source.value(node[b"/Names"]))
                if len(pairs) % 2:
                    raise BrokenTree("a name has no value")
                for name, value in zip(pairs[::2], pairs[1::2], strict=True):
                    yield string_bytes(source.value(name)), value
            if b"/Kids" in node:
                waiting += reversed(items(source.value(node[b"/Kids"])))
    except (UnsupportedPdf, Refused, ValueError):
        raise BrokenTree("it is damaged") from None


class Destinations:
    """The pages that the bookmarks and names of a file lead to, counted from 0."""

    def __init__(self, tree: PageTree) -> None:
        self._tree = tree
        self._source = tree.source
        self._pages: dict[int, int] = {}
        for page, (number, _) in enumerate(tree.pages):
            self._pages[number] = _SEVERAL if number in self._pages else page

    def page_of(self, entries: Mapping[bytes, bytes]) -> int | None:
        """
        Return the page that a bookmark leads to; None where it leads to none that is surely meant.

        A page that the file has twice is none, and neither is one of another file.
        """
        try:
            raw = self._source.value(entries.get(b"/Dest", b"null"))
            if raw == b"null" and b"/A" in entries:
                action = self._source.dictionary(entries[b"/A"])
                if self._source.value(action.get(b"/S", b"")) != b"/GoTo":
                    return None
                raw = action.get(b"/D", b"null")
            return self._followed(raw)
        except (UnsupportedPdf, Refused, ValueError):
            return None

    def _followed(self, raw: bytes) -> int | None:
        for _ in range(_LONGEST_WAY):
            raw = self._source.value(raw)
            if raw.startswith(b"["):
                return self._of_array(items(raw))
            if raw.startswith(b"<<"):
                raw = dictionary(raw).get(b"/D", b"null")
            elif raw.startswith(b"/"):
                raw = self._old_names.get(plain(raw), b"null")
            elif raw.startswith((b"(", b"<")):
                raw = self._names.get(string_bytes(raw), b"null")
            else:
                return None
        return None

    def _of_array(self, parts: list[bytes]) -> int | None:
        if not parts:
            return None
        number = reference(parts[0])
        if number is not None:
            page = self._pages.get(number, _SEVERAL)
            return page if page != _SEVERAL else None
        if parts[0].isdigit() and int(parts[0]) < len(self._tree):  # as some writers have it
            return int(parts[0])
        return None

    @cached_property
    def _names(self) -> Mapping[bytes, bytes]:
        """The destinations by name; a name that is given twice leads nowhere."""
        catalog = self._source.dictionary(b"%d 0 R" % self._source.root)
        names = self._source.dictionary(catalog.get(b"/Names", b"<<>>"))
        found: dict[bytes, bytes] = {}
        if b"/Dests" in names:
            try:
                for name, value in names_in(self._tree, names[b"/Dests"]):
                    found[name] = value if found.get(name, value) == value else b"null"
            except BrokenTree:
                return {}
        return found

    @cached_property
    def _old_names(self) -> Mapping[bytes, bytes]:
        """The destinations as files of before PDF 1.2 have them, in one dictionary."""
        catalog = self._source.dictionary(b"%d 0 R" % self._source.root)
        entries = self._source.dictionary(catalog.get(b"/Dests", b"<<>>"))
        return {plain(name): value for name, value in entries.items()}
