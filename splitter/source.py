"""The objects of a bulk file as raw bytes, cut from the mapped file where that is possible."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from pypdf import PdfReader
from pypdf.generic import IndirectObject, StreamObject

from domain.failures import Refused
from splitter.object_streams import ObjectStreams
from splitter.pypdf_text import PYPDF_FAILURES, large_files_allowed, open_reader
from splitter.raw_objects import NULL, RawObject, decoded, serialised, without_ascii85
from splitter.syntax import Odd, dictionary, reference

_HEADER = re.compile(rb"\s*([0-9]+)\s+([0-9]+)\s+obj\b")
_END = re.compile(
    rb"\((?:[^()\\]|\\.)*\)|(?P<stream>(?<![/\w])stream\r?\n)|(?P<end>(?<![/\w])endobj\b)"
    rb"|(?P<odd>[()%#])",
    re.DOTALL,
)
_LENGTH = re.compile(rb"/Length\s+([0-9]+)(\s+[0-9]+\s+R)?")
_NEEDS_CARE = re.compile(rb"[()%#]|stream|[^\s>\]]\Z")
_LONGEST_PLAIN = 8192
_MOST_RECENT, _LONGEST_RECENT = 64, 1 << 18
_DEEPEST_REFERENCE = 16


class SourceFile:
    """
    A sound bulk file, open for copying.

    pypdf has read its cross-reference table. Objects written in the plain way are cut from the
    file; whatever is in an object stream, encrypted or unusual comes from pypdf.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader: PdfReader = open_reader(path)
        with path.open("rb") as file:
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._generations = _generations(self.reader)
        self._offsets = {} if self.reader.is_encrypted else self._plain_offsets()
        places = {} if self.reader.is_encrypted else self.reader.xref_objStm
        self._recent: dict[int, RawObject] = {}  # a page's objects are asked for several times
        self._compressed = ObjectStreams(places, self._decoded_plainly)

    def get(self, number: int) -> RawObject:
        """Return an object; one that is not in the file is null, as the standard says."""
        found = self._recent.get(number)
        if found is None:
            if len(self._recent) >= _MOST_RECENT:
                self._recent.clear()
            found = self._get(number)
            if found.stream is None or len(found.stream) < _LONGEST_RECENT:
                self._recent[number] = found
        return found

    def _get(self, number: int) -> RawObject:
        offset = self._offsets.get(number)
        try:
            if offset is not None:
                return self._cut(number, offset)
            return self._compressed.get(number)
        except Odd:
            return self._from_pypdf(number)

    def value(self, raw: bytes) -> bytes:
        """Return a value itself where it is given by reference."""
        for _ in range(_DEEPEST_REFERENCE):
            number = reference(raw)
            if number is None:
                return raw
            raw = self.get(number).body
        raise self.refusal()

    def dictionary(self, raw: bytes) -> dict[bytes, bytes]:
        """Return a dictionary, given directly or by reference; pypdf reads an oddly written one."""
        return dictionary(self.value(raw))

    def decoded(self, number: int) -> bytes:
        """Return a stream's content without its filters."""
        found = self.get(number)
        if found.stream is None:
            return b""
        try:
            return decoded(found)
        except Odd:
            return self._decoded_by_pypdf(number)

    def _plain_offsets(self) -> dict[int, int]:
        """Return where the objects are that stand in the file by themselves."""
        plain = self.reader.xref.get(0, {})
        if len(plain) == len(self._generations) and not self.reader.xref_objStm:
            return plain
        return {
            number: offset
            for number, offset in plain.items()
            if self._generations.get(number) == 0 and number not in self.reader.xref_objStm
        }

    def refusal(self) -> Refused:
        return Refused(
            "pdf-unreadable",
            f"{self.path.name} holds objects that cannot be copied safely; please export it again.",
        )

    def _cut(self, number: int, offset: int) -> RawObject:
        header = _HEADER.match(self._mapped, offset)
        if header is None or int(header[1]) != number:
            raise Odd("no object there")
        plain = self._cut_plainly(header.end())
        if plain is not None:
            return plain
        for match in _END.finditer(self._mapped, header.end()):
            if match["odd"]:
                raise Odd("nested parentheses, a comment or an escaped name")
            body = self._mapped[header.end() : match.start()]
            if match["end"]:
                return RawObject(body.strip())
            if match["stream"]:
                return self._cut_stream(body.strip(), match.end())
        raise Odd("no end")

    def _cut_plainly(self, start: int) -> RawObject | None:
        """Cut an object that has no stream and no string, the usual one; None for any other."""
        end = self._mapped.find(b"endobj", start, start + _LONGEST_PLAIN)
        if end < 0:
            return None
        body = self._mapped[start:end]
        return None if _NEEDS_CARE.search(body) else RawObject(body.strip())

    def _cut_stream(self, body: bytes, start: int) -> RawObject:
        length = _LENGTH.search(body)
        if length is None:
            raise Odd("no length")
        count = int(length[1])
        if length[2]:
            body_of_length = self.get(count).body
            if not body_of_length.isdigit():
                raise Odd("no length")
            count = int(body_of_length)
            body = body[: length.start()] + b"/Length %d" % count + body[length.end() :]
        if self._mapped[start + count : start + count + 16].lstrip()[:9] != b"endstream":
            raise Odd("wrong length")
        return without_ascii85(RawObject(body, self._mapped[start : start + count]))

    def _decoded_plainly(self, number: int) -> tuple[bytes, bytes]:
        """Return the dictionary and the content of an object stream."""
        if number not in self._offsets:
            raise Odd("not where object streams are")
        found = self._cut(number, self._offsets[number])
        if found.stream is None:
            raise Odd("not a stream")
        return found.body, decoded(found)

    def _from_pypdf(self, number: int) -> RawObject:
        generation = self._generations.get(number)
        if generation is None:
            return NULL
        try:
            with large_files_allowed():
                found = self.reader.get_object(IndirectObject(number, generation, self.reader))
                self.reader.resolved_objects.pop((generation, number), None)
                return serialised(found)
        except PYPDF_FAILURES:
            raise self.refusal() from None

    def _decoded_by_pypdf(self, number: int) -> bytes:
        try:
            with large_files_allowed():
                generation = self._generations[number]
                found = self.reader.get_object(IndirectObject(number, generation, self.reader))
                self.reader.resolved_objects.pop((generation, number), None)
                assert isinstance(found, StreamObject)
                return found.get_data()
        except PYPDF_FAILURES:
            raise self.refusal() from None


def _generations(reader: PdfReader) -> dict[int, int]:
    known = dict.fromkeys(reader.xref_objStm, 0)
    for generation in sorted(reader.xref):
        known |= dict.fromkeys(reader.xref[generation], generation)
    return known
