"""Objects as a customer may have them: nothing of other customers, nothing that acts."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable

from splitter.pdf.objects import NULL, RawObject
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    dictionary,
    items,
    names,
    plain,
    reference,
    references,
    spelled,
    to_dictionary,
)

SECTIONS = (
    b"/XObject",
    b"/Font",
    b"/ExtGState",
    b"/ColorSpace",
    b"/Pattern",
    b"/Shading",
    b"/Properties",
)
_ALWAYS_USED = frozenset({b"DefaultGray", b"DefaultRGB", b"DefaultCMYK"})  # colour spaces
_DRAWN_WITH = (b"/Form", b"/PatternType", b"/Type3")  # these words mark what has a content
_MAY_BORROW = (b"/XObject", b"/Font", b"/Pattern")
_MOST_REMEMBERED = 4096

Sections = dict[bytes, dict[bytes, bytes]]


class Pruner:
    """
    Cuts resources down, for pages and for whatever else has resources of its own.

    Some writers give every page one dictionary with all customers' images in it; copied whole, it
    would put them all into every bill.
    """

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._sections: dict[bytes, Sections] = {}
        self._names_in_shared: dict[int, frozenset[bytes]] = {}

    def pruned(self, resources: bytes, content: Iterable[int]) -> Sections:
        """Return the resources that content streams with these object numbers use, by section."""
        sections = self._read(resources)
        used = set[bytes]()
        for number in content:
            used |= names(self._source.decoded(number))
        self._add_borrowed(sections, used)

        wanted = sorted(used | _ALWAYS_USED)
        kept = {
            section: {spelled(name): entries[name] for name in wanted if name in entries}
            for section, entries in sections.items()
        }
        return {section: entries for section, entries in kept.items() if entries}

    def content_of_page(self, contents: bytes) -> list[int]:
        """Return the numbers of a page's content streams, given as one or as an array."""
        number = reference(contents)
        if number is not None:
            found = self._source.get(number)
            if found.stream is not None:
                return [number]
            contents = found.body
        return references(contents)

    def content_of(self, number: int, found: RawObject) -> list[int]:
        """Return the content streams of a form, a pattern or a Type 3 font."""
        if found.stream is not None:
            return [number]
        glyphs = dictionary(found.body).get(b"/CharProcs")
        return references(self._source.value(glyphs)) if glyphs else []

    def _add_borrowed(self, sections: Sections, used: set[bytes]) -> None:
        """Add the names used by forms and Type 3 fonts that draw with these same resources."""
        waiting = set(used)
        while waiting:
            borrowed = set[bytes]()
            for section in _MAY_BORROW:
                entries = sections.get(section, {})
                for name in entries.keys() & waiting:
                    number = reference(entries[name])
                    if number is not None:
                        borrowed |= self._names_without_resources(number)
            waiting = borrowed - used
            used |= waiting

    def _names_without_resources(self, number: int) -> frozenset[bytes]:
        known = self._names_in_shared.get(number)
        if known is None:
            known = self._find_names_without_resources(number)
            if len(self._names_in_shared) >= _MOST_REMEMBERED:
                self._names_in_shared.clear()
            self._names_in_shared[number] = known
        return known

    def _find_names_without_resources(self, number: int) -> frozenset[bytes]:
        found = self._source.get(number)
        if not any(word in found.body for word in _DRAWN_WITH):
            return frozenset()
        entries = dictionary(found.body)
        is_font = entries.get(b"/Subtype") == b"/Type3"
        draws = found.stream is not None and entries.get(b"/Subtype") != b"/Image"
        if b"/Resources" in entries or not (is_font or draws):
            return frozenset()
        used = set[bytes]()
        for content in self.content_of(number, found):
            used |= names(self._source.decoded(content))
        return frozenset(used)

    def _read(self, resources: bytes) -> Sections:
        known = self._sections.get(resources)
        if known is None:
            known = self._read_anew(resources)
            if len(self._sections) >= _MOST_REMEMBERED:
                self._sections.clear()
            self._sections[resources] = known
        return known

    def _read_anew(self, resources: bytes) -> Sections:
        entries = self._source.dictionary(resources)
        return {
            section: {
                plain(name[1:]): value
                for name, value in self._source.dictionary(entries[section]).items()
            }
            for section in SECTIONS
            if section in entries and self._source.value(entries[section]) != b"null"
        }


FORBIDDEN_KEYS = frozenset(
    {
        b"/AA", b"/AF", b"/Alternates", b"/Dest", b"/EF", b"/JS", b"/LastModified", b"/Measure",
        b"/Metadata", b"/OPI", b"/OpenAction", b"/Parent", b"/PieceInfo", b"/Popup", b"/PtData",
        b"/Ref", b"/StructParent", b"/StructParents", b"/Thumb",
    }
)  # fmt: skip
FORBIDDEN_TYPES = frozenset(
    {
        b"/Action", b"/Annot", b"/Catalog", b"/EmbeddedFile", b"/Filespec", b"/MCR", b"/Metadata",
        b"/OBJR", b"/Page", b"/Pages", b"/StructElem", b"/StructTreeRoot", b"/Template",
    }
)  # fmt: skip
_SUSPECT_KEY = re.compile(
    b"(?:" + b"|".join(sorted(FORBIDDEN_KEYS, reverse=True)) + rb")(?![A-Za-z0-9])|#"
)
_MOST_KEPT_BYTES = 16_000_000


class Sanitiser:
    """
    Hands out the objects a bill may hold.

    Page attributes are chosen by a whitelist elsewhere. This is about what hangs on them: keys
    that lead to other pages, act or carry data are dropped, objects that are such things become
    null, and resources of forms, patterns and Type 3 fonts are pruned like those of a page.
    """

    def __init__(self, source: SourceFile, page_numbers: frozenset[int], pruner: Pruner) -> None:
        self._source = source
        self._page_numbers = page_numbers
        self._pruner = pruner
        self._kept: OrderedDict[int, tuple[RawObject, list[int]]] = OrderedDict()
        self._kept_bytes = 0

    def get(self, number: int) -> tuple[RawObject, list[int]]:
        """Return an object, clean, and the numbers of the objects it refers to."""
        kept = self._kept.get(number)
        if kept is not None:
            self._kept.move_to_end(number)
            return kept
        found = self._clean(number)
        kept = found, references(found.body)
        self._keep(number, kept)
        return kept

    def clean_value(self, raw: bytes) -> bytes:
        """Return a value without forbidden keys, however deep they are nested."""
        if not _SUSPECT_KEY.search(raw):
            return raw
        if raw.startswith(b"<<"):
            return to_dictionary(
                {
                    key: self.clean_value(value)
                    for key, value in dictionary(raw).items()
                    if b"/" + plain(key[1:]) not in FORBIDDEN_KEYS
                }
            )
        if raw.startswith(b"["):
            return b"[" + b" ".join([self.clean_value(item) for item in items(raw)]) + b"]"
        return raw

    def resources(self, raw: bytes, content: list[int]) -> bytes:
        """Return the resources that content streams use; values are cleaned, names are free."""
        return to_dictionary(
            {
                section: to_dictionary(
                    {name: self.clean_value(value) for name, value in entries.items()}
                )
                for section, entries in self._pruner.pruned(raw, content).items()
            }
        )

    def _clean(self, number: int) -> RawObject:
        if number in self._page_numbers:
            return NULL
        found = self._source.get(number)
        if not found.body.startswith(b"<<"):
            return RawObject(self.clean_value(found.body))
        body = self.clean_value(found.body)
        if b"/Type" not in body and b"/Resources" not in body and b"/S" not in body:
            return RawObject(body, found.stream)
        entries = dictionary(body)
        if entries.get(b"/Type") in FORBIDDEN_TYPES or entries.get(b"/S") == b"/JavaScript":
            return NULL
        if b"/Resources" in entries:
            content = self._pruner.content_of(number, found)
            resources = self.resources(entries[b"/Resources"], content)
            body = to_dictionary({**entries, b"/Resources": resources})
        return RawObject(body, found.stream)

    def _keep(self, number: int, kept: tuple[RawObject, list[int]]) -> None:
        self._kept[number] = kept
        self._kept_bytes += _size(kept[0])
        while self._kept_bytes > _MOST_KEPT_BYTES and len(self._kept) > 1:
            _, (dropped, _) = self._kept.popitem(last=False)
            self._kept_bytes -= _size(dropped)


def _size(found: RawObject) -> int:
    return len(found.body) + len(found.stream or b"") + 200
