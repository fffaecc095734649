"""The structure tree of a tagged bulk file: what is read of it once, for all its bills."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from domain.failures import Refused
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import DIGITS_ALIKE, UnsupportedPdf, dictionary, items
from splitter.tags.values import language_of, type_of

_SPACE = rb"[\x00\t\n\x0c\r ]"
_TEXT = rb"\([^()\\%]*+\)|<[0-9A-Fa-f]*+>"
_FLAT = rb"[^\[\]()<>%]++|" + _TEXT
_FLAT_DICTIONARY = rb"<<(?:" + _FLAT + rb"|\[(?:" + _FLAT + rb")*+\])*+>>"
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
_LONGEST_ALIKE, _MOST_SHAPES = 512, 4096  # bytes of an element; ways in which they are written
_MOST_NUMBERS = 1 << 12
_BARE = frozenset({b"/Type", b"/S", b"/P", b"/Pg", b"/K"})


def reference_of(raw: bytes) -> int | None:
    """Return the object number of a reference and of nothing else, as fast as it can be done."""
    if raw[-1:] != b"R":
        return None
    number = raw.partition(b" ")[0]
    return int(number) if number.isdigit() and len(number) < 10 else None


def entries_of(raw: bytes) -> Mapping[bytes, bytes]:
    """Return a dictionary's entries; one that is written in the usual way is read at a stroke."""
    return dict(_ENTRIES.findall(raw)) if _USUAL.fullmatch(raw) else dictionary(raw)


def _numbers_of(kids: list[bytes]) -> list[int | None] | None:
    return [reference_of(kid) for kid in kids] if len(kids) < _LARGE else None


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


class ElementShape:
    """
    Where the values of elements stand that are written alike but for their digits.

    A producer has a few dozen ways to write its elements. Each is taken apart once; of all others
    that are written so the values are cut at the same places.
    """

    def __init__(self, body: bytes) -> None:
        found = {match[1]: match.span(2) for match in _ENTRIES.finditer(body)}
        self.spans = found
        self.is_bare = found.keys() <= _BARE
        self.parent = _number_span(body, found.get(b"/P"))
        self.page = _number_span(body, found.get(b"/Pg"))
        start, end = self.kids = found.get(b"/K", (0, 0))
        raw = body[start:end]
        self.lone = _number_span(body, self.kids)  # a kid, or an array of kids
        self.listed: list[tuple[tuple[int, int], tuple[int, int] | None]] | None = None
        if start == end:
            self.listed = []
        elif not raw.startswith(b"[") and self.lone is None:
            self.listed = [(self.kids, None)]
        elif _KIDS.fullmatch(raw):
            spans = [(start + one.start(), start + one.end()) for one in _KID.finditer(raw)]
            self.listed = [(span, _number_span(body, span)) for span in spans]


def _number_span(body: bytes, span: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return where the object number of a value stands, if it is a reference."""
    if span is None or reference_of(body[slice(*span)]) is None:
        return None
    return span[0], body.index(b" ", span[0])


@dataclass(eq=False)
class Element:
    """
    A structure element, or the tree's root, as in the source.

    `numbers` are those of the kids that are objects, by their places; those of an element with a
    city's kids are not kept.
    """

    number: int
    body: bytes
    shape: ElementShape | None  # None: written as no other, or long
    parent: int | None
    kids: list[bytes]
    page: int | None  # the object of the page that its own marks are on
    numbers: list[int | None] | None

    @property
    def is_bare(self) -> bool:
        """Whether it says nothing but its type, its place, and what it holds."""
        return self.shape is not None and self.shape.is_bare

    def entry(self, key: bytes) -> bytes:
        """Return the raw value of a key; nothing where the element has no such key."""
        if self.shape is None:
            return self._entries.get(key, b"")
        start, end = self.shape.spans.get(key, (0, 0))
        return self.body[start:end]

    @cached_property
    def _entries(self) -> Mapping[bytes, bytes]:
        return entries_of(self.body)

    def number_at(self, place: int) -> int | None:
        return reference_of(self.kids[place]) if self.numbers is None else self.numbers[place]

    def numbered_kids(self) -> Iterable[tuple[bytes, int | None]]:
        """Yield the kids with their numbers, where they are objects."""
        if self.numbers is None:
            return ((kid, reference_of(kid)) for kid in self.kids)
        return zip(self.kids, self.numbers, strict=True)

    def place_of(self, child: int) -> int | None:
        """Return the place of an element among the kids; those of a city are found by halving."""
        if self.numbers is not None:
            return self.numbers.index(child) if child in self.numbers else None
        at = bisect_left(self._places, child << 32)
        found = self._places[at] if at < len(self._places) else 0
        return found & 0xFFFFFFFF if found >> 32 == child else None

    @cached_property
    def _places(self) -> array[int]:
        numbers = ((reference_of(kid), at) for at, kid in enumerate(self.kids))
        return array("Q", sorted(n << 32 | at for n, at in numbers if n is not None))


class KnownNumbers(set[int]):
    """Numbers of objects of which the same is known, whatever bill asks; not all of a city's."""

    def add(self, number: int) -> None:
        if len(self) >= _MOST_NUMBERS:
            self.clear()
        super().add(number)


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
        self._shapes: dict[bytes, ElementShape | None] = {}
        self._types: dict[bytes, bytes] = {}
        self.filled = KnownNumbers()  # elements that have a mark, or one below them has
        self.elements_alone = KnownNumbers()  # objects that are surely neither a mark nor a link

    def value(self, raw: bytes) -> bytes:
        """Return a value itself where it is given by reference."""
        return self.source.value(raw) if raw[-1:] == b"R" else raw

    def elements_of_page(self, page: int) -> list[int]:
        """Return the elements that a page, counted from 0, has marks of."""
        key = self.value(self.pages.entries(page).get(b"/StructParents", b""))
        row = self.value(self._rows.get(int(key), b"")) if _KEY.fullmatch(key) else b""
        if not row.startswith(b"["):
            return []
        found = map(reference_of, _KID.findall(row) if _KIDS.fullmatch(row) else items(row))
        return [number for number in found if number is not None]

    def element_of_annotation(self, key: int) -> int | None:
        return reference_of(self._rows.get(key, b""))

    def type_of(self, element: Element) -> bytes:
        """Return the standard type of an element."""
        raw = element.entry(b"/S")
        known = self._types.get(raw)
        if known is None:
            known = type_of(self.value(raw), self.roles)
            if len(self._types) < _MOST_SHAPES:
                self._types[raw] = known
        return known

    def element(self, number: int, elements: Container[int] = ()) -> Element:
        """
        Return an element; raises UnsupportedPdf where there is none.

        `elements` are known to be elements: a kid among them is not looked into.
        """
        known = self._large.get(number)
        if known is not None:
            self._large.move_to_end(number)
            return known
        body = self.source.short_value(number)
        shape = self._shape(body)
        if shape is None:
            return self._odd_element(number, body)
        if b"/S" not in shape.spans and number != self.root:
            raise UnsupportedPdf("no structure element")
        parent = page = None
        if shape.parent is not None:
            parent = int(body[shape.parent[0] : shape.parent[1]])
        if shape.page is not None:
            page = int(body[shape.page[0] : shape.page[1]])
        if shape.lone is not None:
            lone = int(body[shape.lone[0] : shape.lone[1]])
            if lone in elements:
                kids = [body[shape.kids[0] : shape.kids[1]]]
                return Element(number, body, shape, parent, kids, page, [lone])
        elif shape.listed is not None:
            kids = [body[start:end] for (start, end), _ in shape.listed]
            numbers = [
                None if span is None else int(body[span[0] : span[1]]) for _, span in shape.listed
            ]
            return self._kept(Element(number, body, shape, parent, kids, page, numbers))
        kids = self._kids(body[shape.kids[0] : shape.kids[1]])
        return self._kept(Element(number, body, shape, parent, kids, page, _numbers_of(kids)))

    def _shape(self, body: bytes) -> ElementShape | None:
        """Return how an element is written; those that differ in digits alone are written alike."""
        if len(body) > _LONGEST_ALIKE:
            return None
        alike = body.translate(DIGITS_ALIKE)
        if alike not in self._shapes:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[alike] = ElementShape(body) if _USUAL.fullmatch(body) else None
        return self._shapes[alike]

    def _odd_element(self, number: int, body: bytes) -> Element:
        entries = entries_of(body)
        if b"/S" not in entries and number != self.root:
            raise UnsupportedPdf("no structure element")
        parent, page = (reference_of(entries.get(key, b"")) for key in (b"/P", b"/Pg"))
        kids = self._kids(entries.get(b"/K", b"[]"))
        return self._kept(Element(number, body, None, parent, kids, page, _numbers_of(kids)))

    def _kept(self, element: Element) -> Element:
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
