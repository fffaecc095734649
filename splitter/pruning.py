"""Resources cut down to the names that a content really uses."""

from __future__ import annotations

from collections.abc import Iterable

from splitter.raw_objects import RawObject
from splitter.source import SourceFile
from splitter.syntax import dictionary, names, plain, reference, references, spelled

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
