"""The structure tree of a tagged bulk file: what is read of it once, for all its bills."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from domain.failures import Refused
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import UnsupportedPdf, dictionary, items
from splitter.tags.values import language_of

_SPACE = rb"[\x00\t\n\x0c\r ]"
_FLAT_DICTIONARY = rb"<<[^\[\]()<>%]*+>>"
_TEXT = rb"\([^()\\%]*+\)|<[0-9A-Fa-f]*+>"
_REFERENCE = rb"[0-9]++" + _SPACE + rb"++[0-9]++" + _SPACE + rb"++R"
_ENTRY = (
    _SPACE + rb"*+(/[A-Za-z]++)(?=[\x00\t\n\x0c\r /<(\[])" + _SPACE + rb"*+(" + _REFERENCE
    + rb"|[-+.0-9]++|/[^\x00\t\n\x0c\r ()<>\[\]{}/%#]*+|true|false|null|" + _TEXT + rb"|"
    + _FLAT_DICTIONARY + rb"|\[(?:[^\[\]()<>%]++|" + _FLAT_DICTIONARY + rb"|" + _TEXT + rb")*+\])"
)  # fmt: skip
_ENTRIES = re.compile(_ENTRY)
_USUAL = re.compile(
    _SPACE + rb"*+<<(?:" + _ENTRY + rb")*+" + _SPACE + rb"*+>>" + _SPACE + rb"*+",
)
_KIDS = re.compile(rb"\[[0-9R\x00\t\n\x0c\r ]*+\]")
_KID = re.compile(rb"[0-9]++(?:" + _SPACE + rb"++[0-9]++" + _SPACE + rb"++R)?+")
_KEY = re.compile(rb"[0-9]{1,9}")
_MOST_NODES = 1_000_000  # of the tree that leads from pages to elements
_LARGE, _MOST_LARGE = 64, 1024  # an element with so many kids is usually one of several bills


def reference_of(raw: bytes) -> int | None:
    """Return the object number of a reference and of nothing else, as fast as it can be done."""
    if raw[-1:] != b"R":
        return None
    number = raw.partition(b" ")[0]
    return int(number) if number.isdigit() and len(number) < 10 else None


def entries_of(raw: bytes) -> Mapping[bytes, bytes]:
    """Return a dictionary's entries; one that is written in the usual way is read at a stroke."""
    return dict(_ENTRIES.findall(raw)) if _USUAL.fullmatch(raw) else dictionary(raw)


def is_tagged(source: SourceFile) -> bool:
    """Say whether a file says that it has tags; what cannot be read says nothing."""
    try:
        return _says_it_is_tagged(source)
    except (UnsupportedPdf, Refused):
        return False


def _says_it_is_tagged(source: SourceFile) -> bool:
    catalog = source.dictionary(b"%d 0 R" % source.root)
    if b"/StructTreeRoot" not in catalog or b"/MarkInfo" not in catalog:
        return False
    marking = source.dictionary(catalog[b"/MarkInfo"])
    return source.value(marking.get(b"/Marked", b"")) == b"true"


@dataclass(frozen=True)
class Element:
    """A structure element, or the tree's root, as in the source."""

    number: int
    entries: Mapping[bytes, bytes]
    parent: int | None
    kids: list[bytes]
    page: int | None  # the object of the page that its own marks are on

    def place_of(self, child: int) -> int | None:
        """Return the place of an element among the kids; those of a city are found by halving."""
        if len(self.kids) < _LARGE:
            written = (at for at, kid in enumerate(self.kids) if reference_of(kid) == child)
            return next(written, None)
        at = bisect_left(self._places, child << 32)
        found = self._places[at] if at < len(self._places) else 0
        return found & 0xFFFFFFFF if found >> 32 == child else None

    @cached_property
    def _places(self) -> array[int]:
        numbers = ((reference_of(kid), at) for at, kid in enumerate(self.kids))
        return array("Q", sorted(n << 32 | at for n, at in numbers if n is not None))


class TagTree:
    """
    A tagged file's structure tree.

    Elements are found from the pages by the parent tree, never by a walk through the file: a
    city's tree has millions of elements. What is above many bills is kept, so that it costs no
    bill anything.
    """

    @classmethod
    def of_file(cls, source: SourceFile, pages: PageTree) -> TagTree | None:
        """
        Return the tree of a tagged file; None for a file that says it is not tagged.

        Raises UnsupportedPdf, or Refused, for a tree that cannot be read.
        """
        if not _says_it_is_tagged(source):
            return None
        root = reference_of(source.dictionary(b"%d 0 R" % source.root)[b"/StructTreeRoot"])
        if root is None:
            raise UnsupportedPdf("a structure tree that is no object of its own")
        return cls(source, pages, root)

    def __init__(self, source: SourceFile, pages: PageTree, root: int) -> None:
        self.source = source
        self.pages = pages
        self.root = root
        catalog = source.dictionary(b"%d 0 R" % source.root)
        entries = source.dictionary(b"%d 0 R" % root)
        marking = source.dictionary(catalog[b"/MarkInfo"])
        self.has_suspects = source.value(marking.get(b"/Suspects", b"")) == b"true"
        self.language = language_of(self.value(catalog.get(b"/Lang", b"")))
        self.roles = source.dictionary(entries.get(b"/RoleMap", b"<<>>"))
        self.classes = source.dictionary(entries.get(b"/ClassMap", b"<<>>"))
        self._rows = dict(self._numbered(entries.get(b"/ParentTree", b"<<>>")))
        self._large: OrderedDict[int, Element] = OrderedDict()

    def value(self, raw: bytes) -> bytes:
        """Return a value itself where it is given by reference."""
        return self.source.value(raw) if raw[-1:] == b"R" else raw

    def elements_of_page(self, page: int) -> list[int]:
        """Return the elements that a page, counted from 0, has marks of."""
        key = self.value(self.pages.entries(page).get(b"/StructParents", b""))
        row = self.value(self._rows.get(int(key), b"")) if _KEY.fullmatch(key) else b""
        found = map(reference_of, items(row)) if row.startswith(b"[") else ()
        return [number for number in found if number is not None]

    def element_of_annotation(self, key: int) -> int | None:
        return reference_of(self._rows.get(key, b""))

    def element(self, number: int) -> Element:
        """Return an element; raises UnsupportedPdf where there is none."""
        known = self._large.get(number)
        if known is not None:
            self._large.move_to_end(number)
            return known
        body = self.source.get(number).body
        entries = entries_of(body)
        if b"/S" not in entries and number != self.root:
            raise UnsupportedPdf("no structure element")
        parent, page = (reference_of(entries.get(key, b"")) for key in (b"/P", b"/Pg"))
        element = Element(number, entries, parent, self._kids(entries.get(b"/K", b"[]")), page)
        if len(element.kids) >= _LARGE:
            self.keep(element)
        return element

    def keep(self, element: Element) -> None:
        """Keep an element that several bills share: its list of kids may be as long as a city."""
        self._large[element.number] = element
        if len(self._large) > _MOST_LARGE:
            self._large.popitem(last=False)

    def _kids(self, raw: bytes) -> list[bytes]:
        if reference_of(raw) is not None:
            listed = self.value(raw)
            raw = listed if listed.startswith(b"[") else b"[" + raw + b"]"
        if not raw.startswith(b"["):
            return [raw]
        return _KID.findall(raw) if _KIDS.fullmatch(raw) else items(raw)

    def _numbered(self, raw: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield a number tree's entries; how it says it is divided is of no account."""
        waiting, seen = [raw], set[bytes]()
        while waiting:
            node = waiting.pop()
            if node in seen or len(seen) > _MOST_NODES:
                raise UnsupportedPdf("a number tree without an end")
            seen |= {node} if reference_of(node) is not None else set()
            entries = self.source.dictionary(node)
            waiting += items(self.value(entries[b"/Kids"])) if b"/Kids" in entries else []
            parts = items(self.value(entries[b"/Nums"])) if b"/Nums" in entries else []
            for key, value in zip(parts[::2], parts[1::2], strict=False):
                if _KEY.fullmatch(key):
                    yield int(key), value
