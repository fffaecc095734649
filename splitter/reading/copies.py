"""Copies read back by the direct reader, of a bulk file that another program read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.bills import PageFacts
from domain.failures import Refused
from splitter.direct_text.fonts import DirectFont
from splitter.direct_text.page_facts import DirectFacts
from splitter.direct_text.page_text import Drawings
from splitter.pdf.objects import NULL, RawObject, decoded
from splitter.pdf.source import ObjectSource
from splitter.pdf.syntax import dictionary, references
from splitter.text.patterns import Patterns

_CATALOG, _PAGES = 1, 2  # the numbers of these objects in every copy
_CATALOG_START, _PAGE_START = b"<</Type/Catalog/Pages 2 0 R", b"<</Type/Page/Parent 2 0 R\n"
_MOST_KNOWN = 16
_TRIED, _WORTH_WHILE = 64, 0.5  # copies, and the share of them that must have been plain


class CopyObjects(Protocol):
    """A copy, cut into its objects without a byte between them: every reader finds the same."""

    @property
    def copy(self) -> bytes: ...

    @property
    def bodies(self) -> Mapping[int, bytes]: ...

    @property
    def places(self) -> Mapping[int, tuple[int, int]]:
        """Where each object begins and ends."""
        ...

    def stream(self, number: int) -> bytes | None:
        """Return a stream as it is stored; None where an object is none."""
        ...


class _CopySource(ObjectSource):
    def __init__(self, objects: CopyObjects) -> None:
        self._objects = objects

    def get(self, number: int) -> RawObject:
        body = self._objects.bodies.get(number)
        return NULL if body is None else RawObject(body, self._objects.stream(number))

    def decoded(self, number: int) -> bytes:
        found = self.get(number)
        return b"" if found.stream is None else decoded(found)

    def refusal(self) -> Refused:
        return Refused("pdf-unreadable", "A copy holds a reference without an end.")


@dataclass(frozen=True, slots=True)
class _CopyPages:
    source: _CopySource
    numbers: Sequence[int]

    def entries(self, page: int) -> dict[bytes, bytes]:
        return dict(dictionary(self.source.get(self.numbers[page]).body))


@dataclass(frozen=True, slots=True)
class _Known:
    """
    The fonts and letterheads of copies that begin with the same bytes.

    Those bytes hold all that the fonts and forms are made of.
    """

    beginning: bytes
    fonts: Mapping[bytes, DirectFont | None]
    drawings: Drawings


_NOTHING_KNOWN = _Known(b"", {}, {})


class CopyReader:
    """
    Reads copies that are plainly written; one for many copies of one bulk file.

    Fonts and forms are read once for all copies that begin with the very same bytes, as those of
    one bulk file do. Where few copies are plain no more are tried.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._known: list[_Known] = []
        self._tried = self._read = 0

    def read(self, objects: CopyObjects) -> list[tuple[PageFacts, str]] | None:
        """Return what each page says, and its text; None where an engine must be asked."""
        if self._tried >= _TRIED and self._read < _WORTH_WHILE * self._tried:
            return None
        self._tried += 1
        source = _CopySource(objects)
        pages = _CopyPages(source, references(objects.bodies.get(_PAGES, b"")))
        if not _is_ours(objects, pages.numbers):
            return None
        known = self._known_of(objects.copy)
        # what is said is compared with what pdfium read in the bulk file: see verifying.examine
        fonts, drawings = known.fonts, known.drawings
        reader = DirectFacts(source, pages, self._patterns, fonts, drawings, is_compared=True)
        told = []
        for page in range(len(pages.numbers)):
            facts = reader.facts(page)
            if facts is None:
                return None
            told.append(facts)
        if reader.fonts.keys() != fonts.keys() or reader.drawings.keys() != drawings.keys():
            self._remember(objects, reader.fonts, reader.drawings)
        self._read += 1
        return told

    def _known_of(self, copy: bytes) -> _Known:
        return next((one for one in self._known if copy.startswith(one.beginning)), _NOTHING_KNOWN)

    def _remember(
        self,
        objects: CopyObjects,
        fonts: Mapping[bytes, DirectFont | None],
        drawings: Drawings,
    ) -> None:
        """Keep fonts and forms with the beginning of the copy that holds all they are made of."""
        made_of = [*fonts, *(raw for raw, _ in drawings)]
        waiting = [number for raw in made_of for number in references(raw)]
        reached: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting += references(objects.bodies.get(number, b""))
        if not reached <= objects.places.keys():
            return
        end = max((objects.places[number][1] for number in reached), default=0)
        known = _Known(objects.copy[:end], dict(fonts), dict(drawings))
        self._known = [known, *self._known[: _MOST_KNOWN - 1]]


def _is_ours(objects: CopyObjects, pages: Sequence[int]) -> bool:
    """Say whether catalog and pages begin as our own writer has it: all readers find them then."""
    return objects.bodies.get(_CATALOG, b"").startswith(_CATALOG_START) and all(
        objects.bodies.get(page, b"").startswith(_PAGE_START) for page in pages
    )
