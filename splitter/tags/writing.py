"""A bill's structure tree as its copy has it: written anew, with nothing that is not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from splitter.pdf.syntax import Fillable, UnsupportedPdf, fillable, items, string_bytes
from splitter.tags.choosing import BillPages, ChosenElements, Kid, choose
from splitter.tags.reading import Element, TagTree, entries_of
from splitter.tags.values import (
    ATTRIBUTES,
    HEADERS,
    TEXTS,
    is_harmless,
    language_of,
    to_hexadecimal,
)

_STRINGS = (b"/Alt", b"/ActualText", b"/E", b"/T")
_LONGEST_TEXT = 100_000  # bytes
_LINK, _NO_LINK = b"Link", b"Span"
_REFERS = re.compile(rb"[0-9][\x00\t\n\x0c\r ]+R")
_LONGEST_ALIKE = 256  # bytes of attributes
_PLACE = b"%d 0 R"  # where the number of an object comes


@dataclass(frozen=True)
class BillTags:
    """A bill's tags; references and numbers are those of the source until they are written."""

    root: int
    bodies: Mapping[int, Fillable]  # of the tree's objects, the root's among them
    annotation_keys: Mapping[int, int]
    marks: list[dict[int, int]]  # by page: those that an element has, and which
    texts: list[tuple[str, bytes]]  # that no page shows, with the kind of element that has each
    catalog: bytes


def tags_of(tree: TagTree, bill: BillPages) -> BillTags:
    """Return a bill's tags; raises UnsupportedPdf where the tree is not one that can be kept."""
    return _Writing(tree, choose(tree, bill)).result()


@dataclass
class _Attributes:
    """One owner's attributes of an element; the identifiers in `headers` are the source's."""

    owner: bytes
    values: dict[bytes, bytes] = field(default_factory=dict)
    headers: list[bytes] = field(default_factory=list)


class _Writing:
    def __init__(self, tree: TagTree, chosen: ChosenElements) -> None:
        self._tree = tree
        self._chosen = chosen
        self._order = chosen.in_order()
        self._texts: list[tuple[str, bytes]] = []
        self._types = {number: self._type(number) for number in self._order}
        self._attributes = {
            number: self._read_attributes(number)
            for number in self._order
            if not self._element(number).is_bare
        }
        self._identifiers = self._identified()

    def result(self) -> BillTags:
        names = {owner: name for name, owner in self._identifiers.values()}
        bodies = {number: self._body(number, names) for number in self._order}
        keys = len(self._chosen.marks)
        owners = sorted(self._chosen.owners.items())
        annotation_keys = {target: keys + at for at, (target, _) in enumerate(owners)}
        bodies[self._tree.root] = self._root(owners)
        suspects = b"/Suspects true" if self._tree.has_suspects else b""
        catalog = b"/MarkInfo<</Marked true%b>>/StructTreeRoot %d 0 R" % (suspects, self._tree.root)
        marks = self._chosen.marks
        return BillTags(self._tree.root, bodies, annotation_keys, marks, self._texts, catalog)

    def _root(self, owners: list[tuple[int, int]]) -> Fillable:
        """Write the tree's root, with the elements of each page's marks and of each link."""
        rows = []
        numbers = [*self._chosen.tops]
        for place, marks in enumerate(self._chosen.marks):
            row = [marks.get(mark) for mark in range(max(marks, default=-1) + 1)]
            written = b" ".join([b"null" if number is None else _PLACE for number in row])
            rows.append(b"%d[%b]" % (place, written))
            numbers += [number for number in row if number is not None]
        first = len(rows)
        rows += [b"%d %b" % (first + at, _PLACE) for at in range(len(owners))]
        numbers += [owner for _, owner in owners]
        tops = b" ".join([_PLACE] * len(self._chosen.tops))
        body = b"<</Type/StructTreeRoot/K[%b]/ParentTree<</Nums[%b]>>/ParentTreeNextKey %d" % (
            tops, b" ".join(rows), len(rows),
        )  # fmt: skip
        if self._identifiers:
            pairs = sorted(self._identifiers.values())
            named = b" ".join([b"(%b) %b" % (name, _PLACE) for name, _ in pairs])
            body += b"/IDTree<</Names[%b]>>" % named
            numbers += [owner for _, owner in pairs]
        return body + b">>", tuple(numbers)

    def _type(self, number: int) -> bytes:
        kind = self._tree.type_of(self._element(number))
        if kind == _LINK and not any(map(_is_link, self._chosen.kids[number])):
            return _NO_LINK  # it leads to another bill, and is not in this copy
        return kind

    def _element(self, number: int) -> Element:
        return self._chosen.elements[number]

    def _value(self, raw: bytes) -> bytes:
        return self._tree.value(raw)

    def _body(self, number: int, names: Mapping[int, bytes]) -> Fillable:
        element, kids = self._element(number), self._chosen.kids[number]
        numbers = [element.parent or self._tree.root]
        body = b"<</Type/StructElem/S/" + self._types[number] + b"/P " + _PLACE
        if element.page is not None and (
            True in [isinstance(kid, bytes) and kid.isdigit() for kid in kids]
            if kids
            else self._is_whole(number)
        ):
            numbers.append(element.page)
            body += b"/Pg " + _PLACE
        if len(kids) == 1:
            body += b"/K " + _written_kid(kids[0], numbers)
        elif kids:
            body += b"/K[" + b" ".join([_written_kid(kid, numbers) for kid in kids]) + b"]"
        if not element.is_bare:
            body += self._told(number, element, names)
        return body + b">>", tuple(numbers)

    def _told(self, number: int, element: Element, names: Mapping[int, bytes]) -> bytes:
        """Return what an element says of itself beside its type, its place and its kids."""
        parts: list[bytes] = []
        said = element.entry(b"/Lang")
        if said and (language := language_of(self._value(said))):
            parts.append(b"/Lang(" + language + b")")
        if self._is_whole(number):
            raws = [(key, element.entry(key)) for key in _STRINGS]
            parts += [self._text(number, key, raw) for key, raw in raws if raw]
        if number in names:
            parts.append(b"/ID(" + names[number] + b")")
        written = [self._written(number, attributes) for attributes in self._attributes[number]]
        if any(written):
            parts.append(b"/A[" + b"".join(written) + b"]")
        return b"".join(parts)

    def _is_whole(self, number: int) -> bool:
        return number in self._chosen.whole

    def _text(self, number: int, key: bytes, raw: bytes) -> bytes:
        """Write a string that is read instead of, or beside, what the page shows."""
        text = string_bytes(self._value(raw))
        if len(text) > _LONGEST_TEXT:
            raise UnsupportedPdf("a text that is too long")
        self._texts.append((self._types[number].decode(), text))
        return key + to_hexadecimal(text)

    def _identified(self) -> dict[bytes, tuple[bytes, int]]:
        """
        Return new names for the identifiers that header cells are called by, and their owners.

        The source's own are counted through the whole file: they would tell a bill's place in it.
        """
        called = {
            name
            for found in self._attributes.values()
            for attributes in found
            for name in attributes.headers
        }
        named: dict[bytes, tuple[bytes, int]] = {}
        for number in self._order if called else ():
            raw = self._element(number).entry(b"/ID") if self._is_whole(number) else b""
            name = string_bytes(self._value(raw)) if raw else None
            if name in called and name not in named:
                named[name] = (b"h%d" % (len(named) + 1), number)
        return named

    def _read_attributes(self, number: int) -> list[_Attributes]:
        element = self._element(number)
        raws: list[bytes] = []
        if named := element.entry(b"/C"):
            raw = self._value(named)
            classes = items(raw) if raw.startswith(b"[") else [raw]
            raws += [self._tree.classes[name] for name in classes if name in self._tree.classes]
        if own := element.entry(b"/A"):
            raws.append(own)
        found = []
        for raw in map(self._value, raws):
            for one in map(self._value, items(raw) if raw.startswith(b"[") else [raw]):
                kept = self._kept(number, one) if one.startswith(b"<<") else None
                found += [kept] if kept is not None else []  # a number is a revision's
        return found

    def _kept(self, number: int, raw: bytes) -> _Attributes | None:
        is_whole = self._is_whole(number)
        if len(raw) < _LONGEST_ALIKE and HEADERS not in raw and not _REFERS.search(raw):
            return _same_for_all(raw, is_whole)
        return _of_owner(raw, self._value, is_whole=is_whole)

    def _written(self, number: int, attributes: _Attributes) -> bytes:
        parts = [
            self._text(number, key, value)
            if key in TEXTS
            else key + (b"" if value[:1] in b"/[" else b" ") + value
            for key, value in attributes.values.items()
        ]
        known = [name for name in attributes.headers if name in self._identifiers]
        if known:
            names = b"".join([b"(%b)" % self._identifiers[name][0] for name in known])
            parts.append(HEADERS + b"[" + names + b"]")
        return b"<</O" + attributes.owner + b"".join(parts) + b">>" if parts else b""


def _written_kid(kid: Kid, numbers: list[int]) -> bytes:
    """Return a kid as it is written, and add the numbers that come into it."""
    if isinstance(kid, int):
        numbers.append(kid)
        return _PLACE
    if kid[:1] != b"<":
        return kid
    written, told = fillable(kid)
    numbers += told
    return written


def _is_link(kid: Kid) -> bool:
    return isinstance(kid, bytes) and b"/OBJR" in kid


@lru_cache(maxsize=4096)
def _same_for_all(raw: bytes, is_whole: bool) -> _Attributes | None:
    """Return the same of attributes that refer to nothing: most cells of a file say the same."""
    return _of_owner(raw, lambda value: value, is_whole=is_whole)


def _of_owner(
    raw: bytes, value_of: Callable[[bytes], bytes], *, is_whole: bool
) -> _Attributes | None:
    """Return what may stay of an owner's attributes; some only where all of an element stays."""
    entries = entries_of(raw)
    name = value_of(entries.get(b"/O", b""))
    owner = ATTRIBUTES.get(name)
    if owner is None or (owner.is_of_looks and not is_whole):
        return None
    kept = _Attributes(name)
    for key, value in entries.items():
        if key not in owner.keys:
            continue
        resolved = value_of(value)
        if key == HEADERS:
            listed = items(resolved) if resolved.startswith(b"[") else [resolved]
            kept.headers = [string_bytes(value_of(item)) for item in listed]
        elif (key in TEXTS and is_whole) or is_harmless(resolved):
            kept.values[key] = resolved
    return kept
