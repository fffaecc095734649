"""A new PDF written from objects of another one, each under a new number."""

from __future__ import annotations

import hashlib
import struct
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from splitter.copying.labels import NO_LABELS, CopyLabels
from splitter.pdf.objects import RawObject
from splitter.pdf.syntax import Fillable, renumbered

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
CATALOG, PAGES = 1, 2
_ROW = struct.Struct(">BII")  # of a table that is a stream
_FREE_ROW = b"\0\0\0\0\0\0\0\xff\xff"  # of the object 0, which never is
_ROWS = 4096  # of a table that is text, written at once
_LEVEL = 6  # of compression

GetObject = Callable[[int], tuple[RawObject, list[int]]]


@dataclass(frozen=True)
class Block:
    """The beginning of a file, ready made: the header and objects that many bills share."""

    written: bytes
    numbers: dict[int, int]  # number in the source: number here
    offsets: array[int]  # by number here; 0 where nothing is written yet
    information: int = 0  # the number of the object with the title; 0 where there is none
    metadata: int = 0

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
        self._offsets = block.offsets[:]
        self._waiting: list[int] = []
        self._kids: list[int] = []
        self._packed: dict[int, tuple[int, int]] = {}  # number: its object stream, place therein
        self._information, self._metadata = block.information, block.metadata
        self._position = 0
        self._write(block.written)

    @property
    def sources(self) -> Set[int]:
        """The numbers, in the source, of all objects that are in here."""
        return self._numbers.keys()

    def add_page(self, attributes: bytes, source_number: int | None = None) -> None:
        """
        Add a page given its attributes as in the source, and everything they refer to.

        With its number in the source, what comes later may refer to it.
        """
        body = b"<</Type/Page/Parent 2 0 R\n" + self.renumbered(attributes) + b">>"
        self._kids.append(self._next_number())
        if source_number is not None:
            self._numbers[source_number] = self._kids[-1]
        self._write_object(self._kids[-1], RawObject(body))
        self._write_waiting()

    @property
    def page_numbers(self) -> Sequence[int]:
        """The numbers, in here, of the pages so far."""
        return self._kids

    def turn_to(self, get: GetObject, known: Mapping[int, int] | None = None) -> None:
        """
        Take what follows from another source; `known` are its objects that are here already.

        All that was taken before is written first.
        """
        self._write_waiting()
        self._get = get
        self._numbers = dict(known or {})

    def renumbered(self, raw: bytes) -> bytes:
        """Return a value of the source with the numbers that its objects have here."""
        return renumbered(raw, self._number_of)

    def finish(self, catalog_entries: bytes, packed: Mapping[int, Fillable] | None = None) -> None:
        """
        Write the catalog, the list of pages and the cross-reference table.

        `packed` are objects that the catalog alone refers to. They are written together and
        compressed: the hundreds of small ones of a structure tree would else double a copy.
        """
        entries = self.renumbered(catalog_entries)
        if packed:
            self._pack_waiting(packed)
        self._write_waiting()
        if self._metadata:
            entries += b"/ViewerPreferences<</DisplayDocTitle true>>/Metadata %d 0 R" % (
                self._metadata
            )
        kids = b" ".join([b"%d 0 R" % kid for kid in self._kids])
        catalog = b"<</Type/Catalog/Pages 2 0 R" + entries + b">>"
        pages = b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._kids), kids)
        self._write_object(CATALOG, RawObject(catalog))
        self._write_object(PAGES, RawObject(pages))
        information = b"/Info %d 0 R" % self._information if self._information else b""
        if self._packed:
            self._write_table_as_stream(information)
        else:
            self._write_table(information)

    def _write_table(self, information: bytes) -> None:
        table = self._position
        size = len(self._offsets)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for first in range(1, size, _ROWS):
            some = self._offsets[first : first + _ROWS]
            self._write(b"".join([b"%010d 00000 n \n" % offset for offset in some]))
        self._write(
            b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n"
            % (size, information, table)
        )

    def _write_table_as_stream(self, information: bytes) -> None:
        table, number = self._position, self._next_number()
        self._offsets[number] = table
        rows, pack, packed = [_FREE_ROW], _ROW.pack, self._packed
        rows += [
            pack(2, *packed[at]) if at in packed else pack(1, self._offsets[at], 0)
            for at in range(1, len(self._offsets))
        ]
        content = zlib.compress(b"".join(rows), _LEVEL)
        body = b"<</Type/XRef/W[1 4 4]/Size %d/Root 1 0 R%b/Filter/FlateDecode/Length %d>>" % (
            len(rows), information, len(content),
        )  # fmt: skip
        self._write_object(number, RawObject(body, content))
        self._write(b"startxref\n%d\n%%%%EOF\n" % table)

    def _pack_waiting(self, bodies: Mapping[int, Fillable]) -> None:
        """Write what waits, and has no stream, into one object stream; most are in `bodies`."""
        number, number_of = self._next_number(), self._number_of
        known = self._numbers.get  # no number here is 0
        parts: list[bytes] = []
        heads: list[bytes] = []
        position = 0
        for source_number in self._waiting:  # grows while it is worked off
            here = self._numbers[source_number]
            if source_number in bodies:
                written, numbers = bodies[source_number]
                body = written % tuple([known(one) or number_of(one) for one in numbers])
            else:
                found, _ = self._get(source_number)
                body = self.renumbered(found.body)
                if found.stream is not None:
                    self._write_object(here, RawObject(body, found.stream))
                    continue
            self._packed[here] = number, len(parts)
            heads.append(b"%d %d" % (here, position))
            parts.append(body)
            position += len(body) + 1
        self._waiting.clear()
        head = b" ".join(heads) + b"\n"
        content = zlib.compress(head + b"\n".join(parts), _LEVEL)
        written = b"<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>" % (
            len(parts), len(head), len(content),
        )  # fmt: skip
        self._write_object(number, RawObject(written, content))

    def reserve(self) -> int:
        """Return a number, in here, of an object that is added later."""
        return self._next_number()

    def add_own(self, body: bytes, number: int = 0) -> int:
        """Add an object that no source has, given with numbers of here; return its number."""
        number = number or self._next_number()
        self._write_object(number, RawObject(body))
        return number

    def pack(self, bodies: Mapping[int, Fillable]) -> None:
        """Write what is referred to and not here yet, most of it these, together and compressed."""
        self._pack_waiting(bodies)

    def add_objects(self, numbers: Iterable[int]) -> None:
        """Add objects of the source that pages to come will need."""
        for number in numbers:
            self._number_of(number)
        self._write_waiting()

    def add_labels(self, labels: CopyLabels) -> None:
        """Add a title for the catalog and the trailer to name."""
        if labels.title:
            self._metadata, self._information = self._next_number(), self._next_number()
            self._write_object(self._metadata, labels.metadata)
            self._write_object(self._information, labels.information)

    def to_block(self, written: bytes) -> Block:
        return Block(written, self._numbers, self._offsets, self._information, self._metadata)

    def _write_waiting(self) -> None:
        for source_number in self._waiting:  # grows while it is worked off
            found, _ = self._get(source_number)
            body = self.renumbered(found.body)
            self._write_object(self._numbers[source_number], RawObject(body, found.stream))
        self._waiting.clear()

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


def make_block(numbers: Iterable[int], get: GetObject, labels: CopyLabels = NO_LABELS) -> Block:
    """Return a ready beginning with a title, these objects of the source and all they refer to."""
    start = Block(HEADER, {}, array("Q", [0] * (PAGES + 1)))
    parts: list[bytes] = []
    document = Document(parts.append, get, start)
    document.add_labels(labels)
    document.add_objects(sorted(numbers))
    return document.to_block(b"".join(parts))
