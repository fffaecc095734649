"""A new PDF written from objects of another one, each under a new number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from splitter.pdf.objects import RawObject
from splitter.pdf.syntax import renumbered

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
CATALOG, PAGES = 1, 2

GetObject = Callable[[int], tuple[RawObject, list[int]]]


@dataclass(frozen=True)
class Block:
    """The beginning of a file, ready made: the header and objects that many bills share."""

    written: bytes
    numbers: dict[int, int]  # number in the source: number here
    offsets: list[int]  # by number here; 0 where nothing is written yet

    @cached_property
    def digest(self) -> Any:
        """The SHA-256 begun over what is written: most of a copy, and the same for many bills."""
        return hashlib.sha256(self.written)


class Document:
    """
    A PDF in the making.

    Objects are written when a page first needs them, so memory holds their numbers alone. There
    are no dates and no identifiers: the same pages always give the same bytes.
    """

    def __init__(
        self, write: Callable[[bytes], object], get: GetObject, block: Block | None = None
    ) -> None:
        block = block or make_block((), get)
        self._write_bytes = write
        self._get = get
        self._numbers = dict(block.numbers)
        self._offsets = list(block.offsets)
        self._waiting: list[int] = []
        self._kids: list[int] = []
        self._position = 0
        self._write(block.written)

    @property
    def sources(self) -> Set[int]:
        """The numbers, in the source, of all objects that are in here."""
        return self._numbers.keys()

    def add_page(self, attributes: bytes) -> None:
        """Add a page given its attributes as in the source, and everything they refer to."""
        body = b"<</Type/Page/Parent 2 0 R\n" + self._renumbered(attributes) + b">>"
        self._kids.append(self._next_number())
        self._write_object(self._kids[-1], RawObject(body))
        self._write_waiting()

    def finish(self, catalog_entries: bytes) -> None:
        """Write the catalog, the list of pages and the cross-reference table."""
        entries = self._renumbered(catalog_entries)
        self._write_waiting()
        kids = b" ".join([b"%d 0 R" % kid for kid in self._kids])
        catalog = b"<</Type/Catalog/Pages 2 0 R" + entries + b">>"
        pages = b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._kids), kids)
        self._write_object(CATALOG, RawObject(catalog))
        self._write_object(PAGES, RawObject(pages))

        table = self._position
        rows = b"".join([b"%010d 00000 n \n" % offset for offset in self._offsets[1:]])
        size = len(self._offsets)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size + rows)
        self._write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, table))

    def add_objects(self, numbers: Iterable[int]) -> None:
        """Add objects of the source that pages to come will need."""
        for number in numbers:
            self._number_of(number)
        self._write_waiting()

    def to_block(self, written: bytes) -> Block:
        return Block(written, self._numbers, self._offsets)

    def _write_waiting(self) -> None:
        for source_number in self._waiting:  # grows while it is worked off
            found, _ = self._get(source_number)
            body = self._renumbered(found.body)
            self._write_object(self._numbers[source_number], RawObject(body, found.stream))
        self._waiting.clear()

    def _renumbered(self, raw: bytes) -> bytes:
        return renumbered(raw, self._number_of)

    def _number_of(self, source_number: int) -> int:
        number = self._numbers.get(source_number)
        if number is None:
            number = self._numbers[source_number] = self._next_number()
            self._waiting.append(source_number)
        return number

    def _next_number(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write_object(self, number: int, found: RawObject) -> None:
        self._offsets[number] = self._position
        if found.stream is None:
            self._write(b"%d 0 obj\n%b\nendobj\n" % (number, found.body))
        else:
            self._write(b"%d 0 obj\n%b\nstream\n" % (number, found.body))
            self._write(found.stream)
            self._write(b"\nendstream\nendobj\n")

    def _write(self, written: bytes) -> None:
        self._write_bytes(written)
        self._position += len(written)


def make_block(numbers: Iterable[int], get: GetObject) -> Block:
    """Return a ready beginning with these objects of the source and all they refer to."""
    start = Block(HEADER, {}, [0] * (PAGES + 1))
    parts: list[bytes] = []
    document = Document(parts.append, get, start)
    document.add_objects(sorted(numbers))
    return document.to_block(b"".join(parts))
