"""The objects of a copy as our own writer lays them out, without a byte between them."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

_TRAILER = re.compile(
    rb"xref\n0 ([0-9]+)\n0000000000 65535 f \n((?:[0-9]{10} 00000 n \n)+)"
    rb"trailer\n<</Size ([0-9]+)/Root 1 0 R(?:/Info ([0-9]+) 0 R)?+>>\n"
    rb"startxref\n([0-9]+)\n%%EOF\n\Z"
)
_TABLE = re.compile(
    rb"([0-9]+) 0 obj\n<</Type/XRef/W\[1 4 4\]/Size ([0-9]+)/Root 1 0 R(?:/Info ([0-9]+) 0 R)?+"
    rb"/Filter/FlateDecode/Length ([0-9]+)>>\nstream\n"
)
_PACK = re.compile(rb"<</Type/ObjStm/N ([0-9]+)/First ([0-9]+)/Filter/FlateDecode/Length [0-9]+>>")
_LONGEST_END = 80  # what stands behind the table, and some
_HEADER = re.compile(rb"%PDF-1\.7\n%[\x80-\xff]{4}\n")
_OBJECT = re.compile(rb"([0-9]+) 0 obj\n")
_END, _STREAM_END = b"\nendobj\n", b"\nendstream\nendobj\n"
_STREAM = b">>\nstream\n"
_LENGTH = re.compile(rb"/Length ([0-9]+)")
_ROW = struct.Struct(">BII")  # of a table that is a stream
_FREE = b"\0\0\0\0\0\0\0\xff\xff"
_MOST_BYTES = 64_000_000  # of what is compressed


@dataclass(frozen=True)
class CopyLayout:
    """A copy's objects by number; of a stream `bodies` has the dictionary."""

    copy: bytes
    bodies: Mapping[int, bytes]
    places: Mapping[int, tuple[int, int]]  # where those begin and end that stand by themselves
    packed: frozenset[int]  # those that stand in the object stream
    information: int | None  # the number that the trailer gives

    def stream(self, number: int) -> bytes | None:
        """Return a stream as it is stored; None where an object is none."""
        begin, end = self.places.get(number, (0, 0))
        if not self.copy.endswith(_STREAM_END, begin, end):
            return None
        start = self.copy.find(_STREAM, begin, end) + len(_STREAM)
        return self.copy[start : end - len(_STREAM_END)]


def read_layout(copy: bytes) -> CopyLayout | None:
    """Return a copy's objects; None for a file that our own writer did not write."""
    end = copy.rfind(b"startxref\n", max(0, len(copy) - _LONGEST_END))
    said = copy[end + 10 :].partition(b"\n")[0]
    if end < 0 or not said.isdigit():
        return None
    table = int(said)
    if copy.startswith(b"xref\n", table):
        return _of_rows(copy, table)
    return _of_stream(copy, table, end)


def _of_rows(copy: bytes, table: int) -> CopyLayout | None:
    match = _TRAILER.match(copy, table)
    if match is None or not int(match[1]) == int(match[3]) == len(match[2]) // 20 + 1:
        return None
    rows = match[2]
    offsets = {row // 20 + 1: int(rows[row : row + 10]) for row in range(0, len(rows), 20)}
    return _of_offsets(copy, offsets, table, match[4])


def _of_stream(copy: bytes, table: int, end: int) -> CopyLayout | None:
    """Read a table that is a stream, with one stream of objects: what a tagged copy has."""
    match = _TABLE.match(copy, table)
    if match is None or match.end() + int(match[4]) + len(_STREAM_END) != end:
        return None
    if not copy.startswith(_STREAM_END, end - len(_STREAM_END)):
        return None
    rows = _inflated(copy[match.end() : end - len(_STREAM_END)])
    size = int(match[2])
    if (
        rows is None
        or len(rows) != _ROW.size * size
        or rows[: _ROW.size] != _FREE
        or int(match[1]) != size - 1
    ):
        return None
    if copy[end:] != b"startxref\n%d\n%%%%EOF\n" % table:
        return None
    offsets: dict[int, int] = {}
    packed: dict[int, tuple[int, int]] = {}
    for number, (kind, told, place) in enumerate(_ROW.iter_unpack(rows[_ROW.size : -_ROW.size]), 1):
        if kind == 2:
            packed[number] = told, place
        elif kind == 1 and place == 0:
            offsets[number] = told
        else:
            return None
    layout = _of_offsets(copy, offsets, table, match[3])
    return layout and _unpacked(layout, packed)


def _of_offsets(
    copy: bytes, offsets: Mapping[int, int], table: int, information: bytes | None
) -> CopyLayout | None:
    header = _HEADER.match(copy)
    order = sorted(offsets.items(), key=lambda entry: entry[1])
    if header is None or not order or order[0][1] != header.end():
        return None
    bodies: dict[int, bytes] = {}
    places: dict[int, tuple[int, int]] = {}
    for (number, start), (_, following) in pairwise([*order, (0, table)]):
        body = _body(copy, number, start, following)
        if body is None:
            return None
        bodies[number], places[number] = body, (start, following)
    named = int(information) if information else None
    return CopyLayout(copy, bodies, places, frozenset(), named)


def _body(copy: bytes, number: int, start: int, end: int) -> bytes | None:
    match = _OBJECT.match(copy, start, end)
    if match is None or int(match[1]) != number:
        return None
    if copy.endswith(_STREAM_END, start, end):
        return _body_of_stream(copy, match.end(), end - len(_STREAM_END))
    body = copy[match.end() : end - len(_END)]
    return body if copy.endswith(_END, start, end) else None


def _body_of_stream(copy: bytes, start: int, end: int) -> bytes | None:
    at = copy.find(_STREAM, start, end)
    body = copy[start : at + 2]
    length = _LENGTH.search(body)
    if at < 0 or length is None or at + len(_STREAM) + int(length[1]) != end:
        return None
    return body


def _unpacked(layout: CopyLayout, packed: Mapping[int, tuple[int, int]]) -> CopyLayout | None:
    """Return a layout with the objects of its one object stream, and without that."""
    streams = {stream for stream, _ in packed.values()}
    stream = next(iter(streams), 0)
    head = _PACK.fullmatch(layout.bodies.get(stream, b""))
    content = _inflated(layout.stream(stream) or b"") if head is not None else None
    if len(streams) != 1 or head is None or content is None:
        return None
    count, first = int(head[1]), int(head[2])
    heads = [int(told) for told in content[:first].split() if told.isdigit()]
    numbers, starts = heads[::2], heads[1::2]
    if {number: (stream, at) for at, number in enumerate(numbers)} != packed:
        return None
    if len(numbers) != count or len(starts) != count or starts[0] != 0:
        return None
    ends = [*(start - 1 for start in starts[1:]), len(content) - first]
    cut = [content[first + start : first + end] for start, end in zip(starts, ends, strict=True)]
    if content[first:] != b"\n".join(cut):
        return None
    bodies = {**layout.bodies, **dict(zip(numbers, cut, strict=True))}
    del bodies[stream]
    return CopyLayout(layout.copy, bodies, layout.places, frozenset(numbers), layout.information)


def _inflated(content: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(content, _MOST_BYTES)
    except zlib.error:
        return None
    return inflated if inflater.eof and not inflater.unused_data else None
