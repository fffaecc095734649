"""Files of a few kilobytes that unpack to very much, and others of very many pages."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pikepdf
from pikepdf import Array, Name

MEGABYTES = int(os.environ.get("BILLCLOSE_TEST_MEGABYTES", "250"))  # 1000 before a release
PIECE = 1_000_000


@cache
def packed(start: bytes = b"", levels: int = 2, megabytes: int = MEGABYTES) -> bytes:
    """
    Return so many megabytes, packed once or more; a gigabyte packed twice takes few kilobytes.

    One of them is packed, and stands there again and again: it refers to nothing before it.
    """
    fill = b" " * PIECE
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(fill) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.adler32(start)
    for _ in range(megabytes):
        checksum = zlib.adler32(fill, checksum)
    content = b"".join(
        [b"\x78\x01", head, piece * megabytes, packer.flush(), checksum.to_bytes(4, "big")]
    )
    for _ in range(levels - 1):
        content = zlib.compress(content, 9)
    return content


def bomb(
    pdf: pikepdf.Pdf,
    start: bytes = b"",
    levels: int = 2,
    megabytes: int = MEGABYTES,
    **entries: object,
) -> pikepdf.Stream:
    """Return a stream that unpacks to so many megabytes."""
    stream = pdf.make_stream(b"", **entries)
    content = packed(start, levels, megabytes)
    stream.write(content, filter=Array([Name.FlateDecode] * levels))
    return stream


def in_object_streams(path: Path, packed_object: bytes) -> Path:
    """Write a file whose catalog and pages are in an object stream with this content, packed."""
    filters = b"/Filter[/FlateDecode/FlateDecode]"
    held = b"<</Type/ObjStm/N 3/First 20%b/Length %d>>" % (filters, len(packed_object))
    body = b"%PDF-1.7\n" + b"4 0 obj" + held + b"stream\n" + packed_object + b"\nendstream endobj\n"
    rows = [(0, 0, 65535), (2, 4, 0), (2, 4, 1), (2, 4, 2), (1, 9, 0), (1, len(body), 0)]
    return with_a_stream_for_a_table(path, body, b"".join(row(*entry) for entry in rows), 6)


def with_a_stream_for_a_table(
    path: Path, body: bytes, rows: bytes, size: int, *, filters: bytes = b""
) -> Path:
    entries = b"<</Type/XRef/Size %d/W[1 4 2]/Root 1 0 R%b/Length %d>>" % (
        size,
        filters,
        len(rows),
    )
    number = size - 1
    table = b"%d 0 obj%bstream\n%b\nendstream endobj\n" % (number, entries, rows)
    path.write_bytes(body + table + b"startxref\n%d\n%%%%EOF\n" % len(body))
    return path


def row(kind: int, place: int, index: int) -> bytes:
    return bytes([kind]) + place.to_bytes(4, "big") + index.to_bytes(2, "big")


def many_pages(path: Path, pages: int, *, kids_of_a_node: int = 0) -> Path:
    """Write bills of two pages each; the page tree is flat, or of nodes with so many kids."""
    objects = {3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", 4: b"<</Font<</F 3 0 R>>>>"}
    for page in range(pages):
        said = b"Usage" if page % 2 else b"Account: 01.%06d.1" % (page // 2)
        content = b"BT /F 9 Tf 9 90 Td (%b) Tj ET" % said
        number = 5 + 2 * page
        objects[number] = b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)
        objects[number + 1] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources 4 0 R/Contents %d 0 R>>"
            % number
        )
    level = [(6 + 2 * page, 1) for page in range(pages)]
    while kids_of_a_node and len(level) > kids_of_a_node:
        level = _nodes_above(objects, level, kids_of_a_node)
    objects[2] = _node([kid for kid, _ in level], pages)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R>>"
    return with_a_table(path, objects)


def _nodes_above(
    objects: dict[int, bytes], level: Sequence[tuple[int, int]], kids_of_a_node: int
) -> list[tuple[int, int]]:
    above = []
    for first in range(0, len(level), kids_of_a_node):
        kids = level[first : first + kids_of_a_node]
        number, count = len(objects) + 3, sum(pages for _, pages in kids)
        objects[number] = _node([kid for kid, _ in kids], count)
        above.append((number, count))
    return above


def _node(kids: Sequence[int], count: int) -> bytes:
    listed = b" ".join([b"%d 0 R" % kid for kid in kids])
    return b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, listed)


def with_a_table(path: Path, objects: dict[int, bytes]) -> Path:
    parts, rows, position = [b"%PDF-1.7\n"], [], 9
    for number, body in sorted(objects.items()):
        written = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        rows.append(b"%010d 00000 n \n" % position)
        parts.append(written)
        position += len(written)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, b"".join(rows))
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, position)
    path.write_bytes(b"".join([*parts, table, end]))
    return path
