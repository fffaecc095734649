"""The text of plainly written pages, read from the file at once: a second opinion to pdfium's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Protocol

from splitter.direct_text.content import Drawing, Fragment, Placing, advance, fragments
from splitter.direct_text.fonts import DirectFont, read_font
from splitter.direct_text.lines import from_top_to_bottom, in_drawing_order
from splitter.pdf.objects import decoded
from splitter.pdf.source import ObjectSource
from splitter.pdf.syntax import REGULAR, UnsupportedPdf, dictionary, items, reference
from splitter.text.normalizing import normalized

_DONE = re.compile(rb"(/" + REGULAR + rb"+)[\x00\t\n\x0c\r ]*Do")
_MAY_SHOW_TEXT = re.compile(rb"Tj|TJ|Do|BI|['\"]")
_BOXES = (b"/MediaBox", b"/CropBox")
_BOX = re.compile(
    rb"\[\s*0(?:\.0*)?\s+0(?:\.0*)?\s+([0-9]+(?:\.[0-9]*)?)\s+([0-9]+(?:\.[0-9]*)?)\s*\]"
)
_QUIET_MARKS = (b"/Link", b"/Popup")
_UNCHANGED = re.compile(rb"\[\s*1(?:\.0*)?\s+0\s+0\s+1(?:\.0*)?\s+0\s+0\s*\]")
_FORM_ENTRIES = frozenset({
    b"/Type", b"/Subtype", b"/FormType", b"/BBox", b"/Matrix", b"/Resources", b"/Length",
    b"/Filter", b"/DecodeParms", b"/Name", b"/LastModified",
})  # fmt: skip
_DEEPEST = 3  # forms within forms
_MOST_DRAWINGS = 64  # remembered
_MOST_RESOURCES, _MOST_FONTS, _MOST_OBJECTS = 256, 512, 1 << 16  # remembered


@dataclass(frozen=True, slots=True)
class DirectPage:
    """
    A page's text in the order of drawing; `as_standing` is the same from top to bottom.

    They are the same text where a page is drawn from top to bottom.
    """

    text: str
    as_standing: str
    entries: Mapping[bytes, bytes]


Drawings = Mapping[tuple[bytes, Placing], list[Fragment]]


class Pages(Protocol):
    """The pages of a file in order."""

    def entries(self, page: int) -> Mapping[bytes, bytes]:
        """Return the raw attributes of a page, counted from 0, the inherited ones included."""
        ...


class DirectText:
    """
    Reads pages that are plainly written; raises UnsupportedPdf, or an error of values, else.

    `fonts` are those of the file that are known already, by what stands for them in resources,
    `drawings` what its forms show, by the form and where it is placed. `is_compared`: whoever asks
    compares the text, but for white space, with another reader's.
    """

    def __init__(
        self,
        source: ObjectSource,
        pages: Pages,
        fonts: Mapping[bytes, DirectFont | None] = MappingProxyType({}),
        drawings: Drawings = MappingProxyType({}),
        *,
        is_compared: bool = False,
    ) -> None:
        self.drawings: dict[tuple[bytes, Placing], list[Fragment]] = dict(drawings)
        self._is_compared = is_compared
        self._source = source
        self._pages = pages
        self.fonts: dict[bytes, DirectFont | None] = dict(fonts)
        self._resources: dict[bytes, _Resources] = {}
        self._is_quiet: dict[bytes, bool] = {}

    def read(self, page: int) -> DirectPage:
        entries = self._pages.entries(page)
        if int(self._source.value(entries.get(b"/Rotate", b"0"))) or b"/UserUnit" in entries:
            raise UnsupportedPdf("a page that is shown otherwise than it is drawn")
        content = self._content(entries[b"/Contents"])
        resources = self._of(entries[b"/Resources"])
        shown = fragments(content, resources.fonts, self._forms(content, resources, 0))
        size = _size(*[entries.get(key, b"") for key in _BOXES])
        text, goes_down = in_drawing_order(shown, size, is_compared=self._is_compared)
        text = normalized(text)
        is_one = goes_down or self._is_compared  # in the other's order, or it differs from it
        as_standing = text if is_one else normalized(from_top_to_bottom(shown))
        return DirectPage(text, as_standing, entries)

    def has_no_marks(self, entries: Mapping[bytes, bytes]) -> bool:
        """Say whether surely nothing is written in annotations or form fields."""
        raw = entries.get(b"/Annots")
        marks = items(self._source.value(raw)) if raw is not None else []
        return all(self._source.dictionary(mark)[b"/Subtype"] in _QUIET_MARKS for mark in marks)

    def font(self, raw: bytes) -> DirectFont:
        if raw not in self.fonts:
            if len(self.fonts) >= _MOST_FONTS:
                self.fonts.clear()
            self.fonts[raw] = None  # one that cannot be read is not tried again
            self.fonts[raw] = read_font(self._source, raw)
        font = self.fonts[raw]
        if font is None:
            raise UnsupportedPdf("a font that is not plain")
        return font

    def _content(self, raw: bytes) -> bytes:
        number = reference(raw)
        if number is not None:
            found = self._source.get(number)
            if found.stream is not None:
                return decoded(found)
            raw = found.body
        parts = []
        for part in items(raw):
            number = reference(part)
            found = self._source.get(-1 if number is None else number)
            if found.stream is None:
                raise UnsupportedPdf("content that is no stream")
            parts.append(decoded(found))
        return b"\n".join(parts)

    def _of(self, raw: bytes) -> _Resources:
        found = self._resources.get(raw)
        if found is None:
            if len(self._resources) >= _MOST_RESOURCES:
                self._resources.clear()
            entries = self._source.dictionary(raw)
            states = self._source.dictionary(entries.get(b"/ExtGState", b"<<>>"))
            if not all(map(self._sets_no_font, states.values())):
                raise UnsupportedPdf("a font that is set in another way")
            found = self._resources[raw] = _Resources(
                _Fonts(self, self._source.dictionary(entries.get(b"/Font", b"<<>>"))),
                self._source.dictionary(entries.get(b"/XObject", b"<<>>")),
            )
        return found

    def _sets_no_font(self, raw: bytes) -> bool:
        body = self._source.value(raw)
        return b"/Font" not in body and b"#" not in body

    def _forms(self, content: bytes, resources: _Resources, depth: int) -> dict[bytes, Drawing]:
        """Return the forms with text that a content may draw, by their names."""
        return {
            name: partial(self._drawn, resources.pictures[name], depth + 1)
            for name in set(_DONE.findall(content))
            if not self._shows_no_text(resources.pictures[name])
        }

    def _drawn(self, raw: bytes, depth: int, placing: Placing) -> list[Fragment]:
        """Return what a form shows that is placed so: a letterhead, most often."""
        if (known := self.drawings.get((raw, placing))) is not None:
            return known
        if depth > _DEEPEST:
            raise UnsupportedPdf("forms within forms")
        number = reference(raw)
        found = self._source.get(-1 if number is None else number)
        entries = dictionary(found.body)
        if entries[b"/Subtype"] != b"/Form" or not _FORM_ENTRIES.issuperset(entries):
            raise UnsupportedPdf("an unusual form")
        if entries.get(b"/Matrix") is not None and not _UNCHANGED.fullmatch(entries[b"/Matrix"]):
            raise UnsupportedPdf("a form with a matrix of its own")
        content, resources = decoded(found), self._of(entries[b"/Resources"])
        shown = fragments(content, resources.fonts, self._forms(content, resources, depth), placing)
        if not _are_within(shown, _numbers(entries[b"/BBox"]), placing):
            raise UnsupportedPdf("text that its form may cut off")
        if len(self.drawings) < _MOST_DRAWINGS:
            self.drawings[raw, placing] = shown
        return shown

    def _shows_no_text(self, raw: bytes) -> bool:
        """Say whether what `Do` draws is a picture, or has nothing in it that may be text."""
        if raw not in self._is_quiet:
            if len(self._is_quiet) >= _MOST_OBJECTS:
                self._is_quiet.clear()
            number = -1 if (told := reference(raw)) is None else told
            kind = self._source.kind(number)
            self._is_quiet[raw] = kind == b"/Image" or (
                kind == b"/Form" and not _MAY_SHOW_TEXT.search(decoded(self._source.get(number)))
            )
        return self._is_quiet[raw]


def _numbers(array: bytes) -> tuple[float, float, float, float]:
    left, bottom, right, top = map(float, items(array))
    return left, bottom, right, top


def _are_within(
    shown: list[Fragment], box: tuple[float, float, float, float], placing: Placing
) -> bool:
    """Say whether all is shown well within a form's box."""
    wide, high, right, up = placing
    left, end = sorted((box[0] * wide + right, box[2] * wide + right))
    bottom, top = sorted((box[1] * high + up, box[3] * high + up))
    return all(
        left <= x and x + advance(one) <= end and bottom <= y and y + one[2].height <= top
        for one in shown
        for x, y in [one[:2]]
    )


@lru_cache(maxsize=64)
def _size(*boxes: bytes) -> tuple[float, float]:
    """Return how large a page is, as its boxes say together; (0, 0) where they are not plain."""
    found = [_BOX.fullmatch(box) for box in boxes if box]
    sizes = [(float(box[1]), float(box[2])) if box else (0.0, 0.0) for box in found]
    return min((size[0] for size in sizes), default=0), min((size[1] for size in sizes), default=0)


class _Fonts(dict[bytes, DirectFont]):
    """The fonts of a page by the names that its content gives them, read when they are used."""

    def __init__(self, reader: DirectText, raw: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self._reader, self._raw = reader, raw

    def __missing__(self, name: bytes) -> DirectFont:
        font = self[name] = self._reader.font(self._raw[name])
        return font


@dataclass(frozen=True, slots=True)
class _Resources:
    fonts: Mapping[bytes, DirectFont]
    pictures: Mapping[bytes, bytes]
