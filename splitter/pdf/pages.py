"""The pages of a file in order, each with the attributes it inherits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from splitter.pdf.source import LET_GO_AFTER, SourceFile
from splitter.pdf.syntax import UnsupportedPdf, dictionary, items, reference

INHERITED = (b"/Resources", b"/MediaBox", b"/CropBox", b"/Rotate")
_NODES_A_PAGE = 4  # more inner nodes than that a page is no tree anybody writes
_MORE_NODES = 1 << 14  # a few pages may lie as deep as a writer likes


class BrokenPageTree(Exception):
    """The tree has a loop, a wrong count or something that is no page in it."""


@dataclass(frozen=True, slots=True)
class PageTree:
    """
    The pages of a file in order.

    `numbers` holds the objects of all pages and nodes: a copy must never reach one of these. What
    is on a page is cut from the file when it is asked for, so a large file does not fill memory.
    """

    source: SourceFile
    pages: tuple[tuple[int, dict[bytes, bytes]], ...]  # a page's object, and what it inherits
    numbers: frozenset[int]

    def __len__(self) -> int:
        return len(self.pages)

    def entries(self, page: int) -> dict[bytes, bytes]:
        """Return the raw attributes of a page, counted from 0, the inherited ones included."""
        number, inherited = self.pages[page]
        return {**inherited, **self.source.dictionary(b"%d 0 R" % number)}


def walk_pages(source: SourceFile) -> PageTree:
    """Return the pages in order; raises BrokenPageTree where their number is not as announced."""
    try:
        return _Walk(source).result()
    except UnsupportedPdf as oddity:
        raise BrokenPageTree(str(oddity)) from None


class _Walk:
    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._pages: list[tuple[int, dict[bytes, bytes]]] = []
        self._numbers: set[int] = set()
        self._visits = 0
        self._announced = 0

    def result(self) -> PageTree:
        catalog = self._source.get(self._source.root).body
        root = reference(dictionary(catalog).get(b"/Pages", b""))
        if root is None:
            raise BrokenPageTree("no page tree")
        count = self._source.value(self._node(root).get(b"/Count", b"0"))
        if not count.isdigit():
            raise BrokenPageTree("no count")
        self._announced = int(count)

        self._visit(root)
        if self._visits > LET_GO_AFTER:
            self._source.let_go()
        if len(self._pages) != self._announced:
            raise BrokenPageTree("wrong count")
        return PageTree(self._source, tuple(self._pages), frozenset(self._numbers))

    def _visit(self, root: int) -> None:
        """Go through the tree without recursion: writers nest it as deep as they like."""
        waiting: list[tuple[int, dict[bytes, bytes]]] = [(root, {})]
        while waiting:
            number, inherited = waiting.pop()
            self._count_visit(number)
            node = self._node(number)
            if b"/Kids" not in node or node.get(b"/Type") == b"/Page":
                if node.get(b"/Type", b"/Page") not in (b"/Page", b"/Template"):
                    raise BrokenPageTree("not a page")
                self._pages.append((number, inherited))
                continue
            passed_on = inherited | {key: node[key] for key in INHERITED if key in node}
            kids = [reference(kid) for kid in items(self._source.value(node[b"/Kids"]))]
            for kid in reversed(kids):
                if kid is None:
                    raise BrokenPageTree("a page that is not an object of its own")
                waiting.append((kid, passed_on))

    def _count_visit(self, number: int) -> None:
        """Count what was seen: a loop comes to no end, whatever its length."""
        self._numbers.add(number)
        self._visits += 1
        if self._visits > self._announced * _NODES_A_PAGE + _MORE_NODES:
            raise BrokenPageTree("loop")
        self._source.let_go_after(LET_GO_AFTER)

    def _node(self, number: int) -> Mapping[bytes, bytes]:
        return self._source.dictionary(b"%d 0 R" % number)


UserUnits = Callable[[int], float]  # of a page counted from 0: points in one unit of its content

_NUMBER = re.compile(rb"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
POINT = 1.0


def in_points(_page: int) -> float:
    """Say that the units are points, as of nearly every page there is."""
    return POINT


def units_of_tree(pages: PageTree) -> UserUnits:
    """Look into the pages of a bulk file; nothing is inherited here (ISO 32000-1, table 30)."""

    def unit(page: int) -> float:
        raw = pages.entries(page).get(b"/UserUnit")
        return POINT if raw is None else to_unit(pages.source.value(raw))

    return unit


def units_of_copy(copy: bytes) -> UserUnits:
    """Look into a bill's copy, independently of where it came from."""
    if b"/UserUnit" not in copy:
        return in_points
    from splitter.pdf.pypdf_reader import open_reader

    pages = open_reader(copy).pages
    return lambda page: to_unit(str(pages[page].user_unit).encode())


def to_unit(raw: bytes) -> float:
    """Read the value of a /UserUnit; what is no positive number counts for nothing."""
    unit = float(raw) if _NUMBER.fullmatch(raw) else POINT
    return unit or POINT
