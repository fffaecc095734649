"""The objects of a file as pypdf reads them: what the quick way does not understand."""

from __future__ import annotations

import io
import re
from pathlib import Path

from pypdf.generic import DictionaryObject, IndirectObject, NullObject, PdfObject, StreamObject

from splitter.pdf.objects import NULL, PypdfFailed, RawObject
from splitter.pdf.pypdf_reader import PYPDF_FAILURES, large_files_allowed, open_reader

_HEADER = re.compile(rb"\s*([0-9]+)\s+([0-9]+)\s+obj\b")
_LONGEST_HEADER = 64


class PypdfObjects:
    """A file opened by pypdf, strictly; `offsets` and `places` tell where its objects are."""

    def __init__(self, path: Path) -> None:
        try:
            with large_files_allowed():
                self.reader = open_reader(path)
                self.is_locked = self.reader.is_encrypted and not self.reader.decrypt("")
                root = self.reader.trailer.raw_get("/Root")
        except PYPDF_FAILURES:
            raise PypdfFailed from None
        self.root = root.idnum if isinstance(root, IndirectObject) else 0
        self._generations = dict.fromkeys(self.reader.xref_objStm, 0)
        for generation in sorted(self.reader.xref):
            self._generations |= dict.fromkeys(self.reader.xref[generation], generation)

    @property
    def places(self) -> dict[int, tuple[int, int]]:
        """The objects in object streams: which, and the place therein."""
        return {} if self.reader.is_encrypted else self.reader.xref_objStm

    @property
    def offsets(self) -> dict[int, int]:
        """Where the objects are that stand in the file by themselves and unencrypted."""
        if self.reader.is_encrypted:
            return {}
        plain = self.reader.xref.get(0, {})
        if len(plain) == len(self._generations) and not self.reader.xref_objStm:
            return plain
        return {
            number: offset
            for number, offset in plain.items()
            if self._generations.get(number) == 0 and number not in self.reader.xref_objStm
        }

    def get(self, number: int) -> RawObject:
        """Return an object; one that is not in the file is null, as the standard says."""
        if number not in self._generations:
            return NULL
        try:
            with large_files_allowed():
                return serialised(self._object(number))
        except PYPDF_FAILURES:
            raise PypdfFailed from None

    def decoded(self, number: int) -> bytes:
        """Return a stream's content without its filters."""
        try:
            with large_files_allowed():
                found = self._object(number)
                assert isinstance(found, StreamObject)
                return found.get_data()
        except PYPDF_FAILURES:
            raise PypdfFailed from None

    def _object(self, number: int) -> PdfObject | None:
        """Read an object; one that is not where the table says is not searched for elsewhere."""
        generation = self._generations[number]
        offset = self.reader.xref.get(generation, {}).get(number)
        if offset is not None and number not in self.reader.xref_objStm:
            header = self._header(offset)
            if header is None or (int(header[1]), int(header[2])) != (number, generation):
                raise PypdfFailed
        found = self.reader.get_object(IndirectObject(number, generation, self.reader))
        self.reader.resolved_objects.pop((generation, number), None)
        return found

    def _header(self, offset: int) -> re.Match[bytes] | None:
        stream = self.reader.stream
        stream.seek(offset)
        return _HEADER.match(stream.read(_LONGEST_HEADER))


def serialised(found: PdfObject | None) -> RawObject:
    """Write what pypdf read in the plain way, its stream as it is stored."""
    if found is None or isinstance(found, NullObject):
        return NULL
    written = io.BytesIO()
    if not isinstance(found, StreamObject):
        found.write_to_stream(written)
        return RawObject(written.getvalue().strip())
    stream = found._data if isinstance(found._data, bytes) else bytes(found._data)
    entries = {key: value for key, value in found.items() if key != "/Length"}
    DictionaryObject(entries).write_to_stream(written)
    body = written.getvalue().strip().removesuffix(b">>")
    return RawObject(body + b"/Length %d>>" % len(stream), stream)
