"""The objects of a bulk file as raw bytes, cut from the mapped file where that is possible."""

from __future__ import annotations

import mmap
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from domain.failures import Refused
from splitter.pdf.objects import (
    NULL,
    Damaged,
    ObjectStreams,
    PypdfFailed,
    RawObject,
    decoded,
    without_ascii85,
)
from splitter.pdf.syntax import UnsupportedPdf, dictionary, reference
from splitter.pdf.xref import read_xref_table

if TYPE_CHECKING:
    from splitter.pdf.pypdf_objects import PypdfObjects


T = TypeVar("T")

_HEADER = re.compile(rb"\s*([0-9]+)\s+([0-9]+)\s+obj\b")
_END = re.compile(
    rb"\((?:[^()\\]|\\.)*\)|(?P<stream>(?<![/\w])stream\r?\n)|(?P<end>(?<![/\w])endobj\b)"
    rb"|(?P<odd>[()%#])",
    re.DOTALL,
)
_LENGTH = re.compile(rb"/Length\s+([0-9]+)(\s+[0-9]+\s+R)?")
_CAREFUL_SIGNS = b"()%#"  # of strings, comments and escaped names
_ENDS_A_VALUE = b" >]\t\n\x0b\x0c\r"
_LONGEST_PLAIN = 8192
_LONGEST_SHORT = 512  # bytes, its number and what ends it among them
_BEGINS_A_VALUE, _ENDS_A_DICTIONARY = (
    frozenset({b"<", b"\n", b"\r", b" "}),
    frozenset({b">", b"\n", b"\r"}),
)
_MOST_RECENT, _LONGEST_RECENT = 64, 1 << 18
_DEEPEST_REFERENCE = 16


class ObjectSource(ABC):
    """Whatever has the objects of a PDF by their numbers: a bulk file, or one copy."""

    @abstractmethod
    def get(self, number: int) -> RawObject:
        """Return an object; one that is not there is null, as the standard says."""

    @abstractmethod
    def decoded(self, number: int) -> bytes:
        """Return a stream's content without its filters; raises Damaged where some is lost."""

    def kind(self, number: int) -> bytes:
        """Return what an object, or the dictionary of a stream, says as its /Subtype."""
        return dictionary(self.get(number).body)[b"/Subtype"]

    @abstractmethod
    def refusal(self) -> Refused:
        """Return what is raised where a reference leads from one to the next without end."""

    def value(self, raw: bytes) -> bytes:
        """Return a value itself where it is given by reference."""
        for _ in range(_DEEPEST_REFERENCE):
            number = reference(raw)
            if number is None:
                return raw
            raw = self.get(number).body
        raise self.refusal()

    def dictionary(self, raw: bytes) -> Mapping[bytes, bytes]:
        """Return a dictionary, given directly or by reference; pypdf reads an oddly written one."""
        return dictionary(self.value(raw))


LET_GO_AFTER = 4096  # pages: what is mapped of a large file adds up


class SourceFile(ObjectSource):
    """
    A sound bulk file, open for copying.

    Objects written in the plain way are cut from the file; whatever is encrypted or unusual comes
    from pypdf, which is loaded only then. With `is_plain` the table is not read by pypdf either;
    raises PypdfFailed where pypdf must open the file and cannot.
    """

    def __init__(self, path: Path, *, is_plain: bool = True) -> None:
        self.path = path
        with path.open("rb") as file:
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._unreleased = 0  # pages that were read since memory was given back
        self._recent: dict[int, RawObject] = {}  # a page's objects are asked for several times
        self._offsets: Mapping[int, int]
        table = read_xref_table(self._mapped) if is_plain else None
        self.is_plain = table is not None
        if table is not None:
            self._offsets, self.root = table
            places: dict[int, tuple[int, int]] = {}
        else:
            self._offsets, self.root, places = (
                self.pypdf.offsets,
                self.pypdf.root,
                self.pypdf.places,
            )
        self._compressed = ObjectStreams(places, self._decoded_plainly)

    def let_go_after(self, most: int, pages: int = 1) -> None:
        """Count pages that were read, and let go once there were more than so many."""
        self._unreleased += pages
        if self._unreleased > most:
            self.let_go()

    def let_go(self) -> None:
        """Give back the memory that holds what was read; it is read again where it is needed."""
        self._unreleased = 0
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def pypdf(self) -> PypdfObjects:
        from splitter.pdf.pypdf_objects import PypdfObjects

        return PypdfObjects(self.path)

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

    def short_value(self, number: int) -> bytes:
        """
        Return an object's value that is short, has no string and is no stream, as `get` does.

        Of a structure tree there are hundreds a bill, which nobody asks for twice: they are not
        kept, so that those that are asked for again are. Any other object comes from `get`.
        """
        offset = self._offsets.get(number)
        if offset is not None:
            piece = self._mapped[offset : offset + _LONGEST_SHORT]
            header = b"%d 0 obj" % number
            end = piece.find(b"endobj")
            value = piece[len(header) : end]
            if (
                end > 0
                and piece.startswith(header)
                and value[:1] in _BEGINS_A_VALUE
                and value[-1:] in _ENDS_A_DICTIONARY
                and b"stream" not in value
                and len(value.translate(None, _CAREFUL_SIGNS)) == len(value)
            ):
                return value.strip()
        return self.get(number).body

    def kind(self, number: int) -> bytes:
        """Return an object's /Subtype; of a picture nothing else is read, which may be long."""
        offset = self._offsets.get(number)
        if offset is not None and number not in self._recent:
            piece = self._mapped[offset : offset + _LONGEST_SHORT]
            header = b"%d 0 obj" % number
            at = piece.find(b"stream")
            body = piece[len(header) : at].strip()
            if (
                at > 0
                and piece.startswith(header)
                and body.startswith(b"<<")
                and b"endobj" not in body
                and len(body.translate(None, _CAREFUL_SIGNS)) == len(body)
            ):
                return dictionary(body)[b"/Subtype"]
        return super().kind(number)

    def _get(self, number: int) -> RawObject:
        offset = self._offsets.get(number)
        try:
            if offset is not None:
                return self._cut(number, offset)
            return self._compressed.get(number)
        except (
            UnsupportedPdf,
            RecursionError,
        ):  # a length that is told by what it is the length of
            return self._from_pypdf(number)

    def decoded(self, number: int) -> bytes:
        """Return a stream's content without its filters; raises Damaged where some is lost."""
        found = self.get(number)
        if found.stream is None:
            return b""
        try:
            return decoded(found)
        except Damaged:
            raise
        except UnsupportedPdf:
            return self._asked_of_pypdf(lambda objects: objects.decoded(number))

    def refusal(self) -> Refused:
        return Refused(
            "pdf-unreadable",
            f"{self.path.name} holds objects that cannot be copied safely; please export it again.",
        )

    def _cut(self, number: int, offset: int) -> RawObject:
        header = _HEADER.match(self._mapped, offset)
        if header is None or int(header[1]) != number:
            raise UnsupportedPdf("no object there")
        plain = self._cut_plainly(header.end())
        if plain is not None:
            return plain
        for match in _END.finditer(self._mapped, header.end()):
            if match["odd"]:
                raise UnsupportedPdf("nested parentheses, a comment or an escaped name")
            body = self._mapped[header.end() : match.start()]
            if match["end"]:
                return RawObject(body.strip())
            if match["stream"]:
                return self._cut_stream(body.strip(), match.end())
        raise UnsupportedPdf("no end")

    def _cut_plainly(self, start: int) -> RawObject | None:
        """Cut an object that has no string in it, the usual one; None for any other."""
        end = self._mapped.find(b"endobj", start, start + _LONGEST_PLAIN)
        at = self._mapped.find(b"stream", start, start + _LONGEST_PLAIN if end < 0 else end)
        if end < 0 and at < 0:
            return None
        body = self._mapped[start : end if at < 0 else at]
        if len(body.translate(None, _CAREFUL_SIGNS)) < len(body) or not body:
            return None
        if body[-1] not in _ENDS_A_VALUE:
            return None
        if at < 0:
            return RawObject(body.strip())
        following = self._mapped[at + 6 : at + 8]
        if following[:1] != b"\n" and following != b"\r\n":
            return None
        return self._cut_stream(body.strip(), at + 6 + (1 if following[:1] == b"\n" else 2))

    def _cut_stream(self, body: bytes, start: int) -> RawObject:
        length = _LENGTH.search(body)
        if length is None:
            raise UnsupportedPdf("no length")
        count = int(length[1])
        if length[2]:
            body_of_length = self.get(count).body
            if not body_of_length.isdigit():
                raise UnsupportedPdf("no length")
            count = int(body_of_length)
            body = body[: length.start()] + b"/Length %d" % count + body[length.end() :]
        if self._mapped[start + count : start + count + 16].lstrip()[:9] != b"endstream":
            raise UnsupportedPdf("wrong length")
        return without_ascii85(RawObject(body, self._mapped[start : start + count]))

    def _decoded_plainly(self, number: int) -> tuple[bytes, bytes]:
        """Return the dictionary and the content of an object stream."""
        if number not in self._offsets:
            raise UnsupportedPdf("not where object streams are")
        found = self._cut(number, self._offsets[number])
        if found.stream is None:
            raise UnsupportedPdf("not a stream")
        return found.body, decoded(found)

    def _from_pypdf(self, number: int) -> RawObject:
        if self.is_plain and number not in self._offsets:
            return NULL
        return self._asked_of_pypdf(lambda objects: objects.get(number))

    def _asked_of_pypdf(self, question: Callable[[PypdfObjects], T]) -> T:
        try:
            return question(self.pypdf)
        except PypdfFailed:
            raise self.refusal() from None
