"""Objects as a customer may have them: nothing of other customers, nothing that acts."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from splitter.copying.glyphs import FONT_KEYS, TYPE_3, GlyphPruner, is_type_3
from splitter.pdf.content import names_used
from splitter.pdf.objects import NULL, RawObject
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    UnsupportedPdf,
    dictionary,
    items,
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
_DRAWN_WITH = (b"/Form", b"/PatternType")  # these words mark what has a content
_MAY_BORROW = (b"/XObject", b"/Pattern")
_MOST_REMEMBERED = 4096

Sections = dict[bytes, dict[bytes, bytes]]


class Pruner:
    """
    Cuts resources down, for pages and for whatever else has resources of its own.

    Some writers give every page one dictionary with all customers' images in it, or draw their
    marks as the letters of one Type 3 font; copied whole, they would be in every bill.
    """

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._glyphs = GlyphPruner(source)
        self._sections: dict[bytes, Sections] = {}
        self._names_in_form: dict[int, frozenset[bytes]] = {}

    def pruned(self, resources: bytes, content: Iterable[int]) -> Sections:
        """
        Return the resources that content streams with these object numbers use, by section.

        A Type 3 font stands there itself, with the letters that are shown. Raises UnsupportedPdf
        where it cannot be told which these are.
        """
        sections = self._read(resources)
        drawn = list(content)
        used = set[bytes]()
        for number in drawn:
            used |= names_used(self._source.decoded(number))
        self._add_borrowed(sections, used, drawn)
        fonts = self._add_glyphs(sections, used, drawn)

        wanted = sorted(used | _ALWAYS_USED)
        kept = {
            section: {spelled(name): entries[name] for name in wanted if name in entries}
            for section, entries in sections.items()
        }
        if fonts:
            kept[b"/Font"] |= {spelled(name): font for name, font in sorted(fonts.items())}
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

    def _add_glyphs(
        self, sections: Sections, used: set[bytes], drawn: list[int]
    ) -> dict[bytes, bytes]:
        """
        Return the Type 3 fonts that are used, each with the letters that are shown.

        Letters of a font that has no resources draw with these here, so that they may bring more
        names, forms and fonts.
        """
        fonts: dict[bytes, bytes] = {}
        entries = sections.get(b"/Font", {})
        while True:
            type_3 = {
                name: font
                for name in used & entries.keys()
                if (font := self._type_3(entries[name]))
            }
            if not type_3:
                return {}
            before = len(used), len(drawn)
            codes = self._glyphs.codes_shown(drawn, sections.get(b"/XObject", {}), used, type_3)
            for name, font in type_3.items():
                fonts[name] = self._glyphs.pruned(font, codes[name])
                if b"/Resources" not in font:
                    self._draw_with(self._glyphs.content_of(fonts[name]), sections, used, drawn)
            if before == (len(used), len(drawn)):
                return fonts

    def _draw_with(
        self, content: Iterable[int], sections: Sections, used: set[bytes], drawn: list[int]
    ) -> None:
        for number in content:
            if number not in drawn:
                drawn.append(number)
                used |= names_used(self._source.decoded(number))
        self._add_borrowed(sections, used, drawn)

    def _type_3(self, font: bytes) -> Mapping[bytes, bytes] | None:
        body = self._source.value(font)
        if b"/Type3" not in body:
            return None
        entries = dictionary(body)
        return entries if self._source.value(entries.get(b"/Subtype", b"")) == TYPE_3 else None

    def _add_borrowed(self, sections: Sections, used: set[bytes], drawn: list[int]) -> None:
        """Add the names used by forms and patterns that draw with these same resources."""
        waiting = set(used)
        while waiting:
            borrowed = set[bytes]()
            for section in _MAY_BORROW:
                entries = sections.get(section, {})
                for name in entries.keys() & waiting:
                    number = reference(entries[name])
                    if number is None:
                        continue
                    names = self._names_without_resources(number)
                    if names is not None and number not in drawn:
                        drawn.append(number)
                        borrowed |= names
            waiting = borrowed - used
            used |= waiting

    def _names_without_resources(self, number: int) -> frozenset[bytes] | None:
        """Return the names in a form that has no resources; None for whatever else it is."""
        known = self._names_in_form.get(number)
        if known is not None:
            return known
        found = self._source.get(number)
        if found.stream is None or not any(word in found.body for word in _DRAWN_WITH):
            return None
        entries = dictionary(found.body)
        if b"/Resources" in entries or entries.get(b"/Subtype") == b"/Image":
            return None
        if len(self._names_in_form) >= _MOST_REMEMBERED:
            self._names_in_form.clear()
        known = frozenset(names_used(self._source.decoded(number)))
        self._names_in_form[number] = known
        return known

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
_DEEPEST_FONT = 8


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
        self._depth = 0  # of fonts whose letters are written with fonts

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
                    {name: self._resource(value) for name, value in entries.items()}
                )
                for section, entries in self._pruner.pruned(raw, content).items()
            }
        )

    def _resource(self, raw: bytes) -> bytes:
        if not is_type_3(raw):
            return self.clean_value(raw)
        entries = dictionary(raw)
        font = {  # its letters' names are free
            key: value if key == b"/CharProcs" else self.clean_value(value)
            for key, value in entries.items()
            if key in FONT_KEYS
        }
        if b"/Resources" in entries:
            font[b"/Resources"] = self._resources_of_font(entries)
        return to_dictionary(font)

    def _resources_of_font(self, entries: Mapping[bytes, bytes]) -> bytes:
        if self._depth >= _DEEPEST_FONT:
            raise UnsupportedPdf("a font that is drawn with itself")
        self._depth += 1
        try:
            return self.resources(entries[b"/Resources"], references(entries[b"/CharProcs"]))
        finally:
            self._depth -= 1

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
        if entries.get(b"/Subtype") == TYPE_3:  # reached otherwise than by what shows its letters
            raise UnsupportedPdf("letters of which it is not told which are shown")
        if b"/Resources" in entries:
            content = [number] if found.stream is not None else []
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
