"""One PDF object as raw bytes, and its stream with and without filters."""

from __future__ import annotations

import base64
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from splitter.pdf.syntax import STRING, UnsupportedPdf, dictionary

MOST_CONTENT_BYTES = 64_000_000  # of one content stream, inflated: more is no bill


class Damaged(UnsupportedPdf):
    """Some of a stream is lost: what a reader makes of the rest is not what was printed."""


class PypdfFailed(Exception):
    """pypdf, which is asked about what is unusual, cannot open the file or read the object."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """An object's value, and for a stream its dictionary and its bytes as stored."""

    body: bytes
    stream: bytes | None = None


NULL = RawObject(b"null")
_ZLIB_HEADER = 2  # bytes
_ASCII85_FIRST = re.compile(rb"/Filter\s*\[\s*/(?:ASCII85Decode|A85)(?![A-Za-z0-9])([^\]]*)\]")
_FILTERS = re.compile(rb"/[A-Za-z0-9]+|[^/\[\]\s]+")
_LENGTH = re.compile(rb"/Length\s+[0-9]+(?!\s+[0-9]+\s+R)(?![0-9])")
_USUAL_SIGNS = bytes(range(33, 118))  # without z, which stands for four zeros
_DIGITS = bytes(max(0, sign - 33) for sign in range(256))


def decoded(found: RawObject) -> bytes:
    """Undo the filters that content streams have in practice; others are odd."""
    assert found.stream is not None
    entries = dictionary(found.body)
    if b"/DecodeParms" in entries or b"/DP" in entries or b"/F" in entries:
        raise UnsupportedPdf("parameters")
    content = found.stream
    for name in _FILTERS.findall(entries.get(b"/Filter", b"")):
        if name in (b"/FlateDecode", b"/Fl"):
            content = _inflated(content)
        elif name in (b"/ASCII85Decode", b"/A85"):
            content = _from_ascii85(content)
        else:
            raise UnsupportedPdf("another filter")
    return content


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(content, MOST_CONTENT_BYTES)
    except zlib.error:
        raise Damaged("cannot be inflated") from None
    if inflater.unconsumed_tail:
        raise UnsupportedPdf("too long")
    if not inflater.eof and not _lacks_checksum_alone(content):
        raise Damaged("cut off")
    return inflated


def _lacks_checksum_alone(content: bytes) -> bool:
    """Say whether a stream is complete but for the four bytes at its end, as sloppy writers do."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(content[_ZLIB_HEADER:], MOST_CONTENT_BYTES)
    return inflater.eof


def _from_ascii85(content: bytes) -> bytes:
    """Undo ASCII85; the standard library's own way is ten times slower on what is usual."""
    characters = b"".join(content.split()).removeprefix(b"<~").removesuffix(b"~>")
    if characters.translate(None, _USUAL_SIGNS):
        try:
            return base64.a85decode(characters)
        except ValueError:
            raise UnsupportedPdf("not ASCII85") from None
    missing = -len(characters) % 5
    digits = (characters + b"u" * missing).translate(_DIGITS)
    return _from_base85(digits)[: len(digits) // 5 * 4 - missing]


def _from_base85(digits: bytes) -> bytes:
    """
    Return four bytes for every five digits.

    All words are reckoned at once, as one large number with five bytes for each word, in which
    there is no carrying from word to word: the interpreter has no loop to go through.
    """
    words = len(digits) // 5
    total = 0
    for place in range(5):
        lanes = bytearray(5 * words)
        lanes[4::5] = digits[place::5]
        total = total * 85 + int.from_bytes(lanes, "big")
    lanes = bytearray(total.to_bytes(5 * words, "big"))
    if lanes[::5].count(0) != words:
        raise UnsupportedPdf("not ASCII85")
    found = bytearray(4 * words)
    for place in range(4):
        found[place::4] = lanes[1 + place :: 5]
    return bytes(found)


def without_ascii85(found: RawObject) -> RawObject:
    """Return a stream without ASCII85 around it, which only makes it a quarter longer."""
    filters = _ASCII85_FIRST.search(found.body)
    length = _LENGTH.search(found.body)
    if found.stream is None or filters is None or length is None or b"/DecodeParms" in found.body:
        return found
    try:
        stream = _from_ascii85(found.stream)
    except UnsupportedPdf:
        return found
    body = _ASCII85_FIRST.sub(rb"/Filter [\1]", found.body, count=1)
    return RawObject(_LENGTH.sub(b"/Length %d" % len(stream), body, count=1), stream)


_ODD = re.compile(STRING + rb"|(?P<odd>[()%#])", re.DOTALL)
_MOST_KEPT = 256  # streams; neighbours in the file are asked for together


class ObjectStreams:
    """
    The compressed objects of a file, by their numbers.

    `places` tells for each its stream and its place therein, `decoded` gives a stream's dictionary
    and content. Raises UnsupportedPdf for whatever is not written in the plain way.
    """

    def __init__(
        self,
        places: Mapping[int, tuple[int, int]],
        decoded: Callable[[int], tuple[bytes, bytes]],
    ) -> None:
        self._places = places
        self._decoded = decoded
        self._opened: OrderedDict[int, tuple[list[int], list[int], bytes]] = OrderedDict()

    def get(self, number: int) -> RawObject:
        if number not in self._places:
            raise UnsupportedPdf("not in an object stream")
        stream, place = self._places[number]
        numbers, offsets, content = self._open(stream)
        if not 0 <= place < len(numbers) or numbers[place] != number:
            raise UnsupportedPdf("another object there")
        body = content[offsets[place] : offsets[place + 1]].strip()
        if any(match["odd"] for match in _ODD.finditer(body)):
            raise UnsupportedPdf("nested parentheses, a comment or an escaped name")
        return RawObject(body)

    def _open(self, stream: int) -> tuple[list[int], list[int], bytes]:
        opened = self._opened.get(stream)
        if opened is None:
            opened = self._opened[stream] = _cut_up(*self._decoded(stream))
            if len(self._opened) > _MOST_KEPT:
                self._opened.popitem(last=False)
        self._opened.move_to_end(stream)
        return opened


def _cut_up(body: bytes, content: bytes) -> tuple[list[int], list[int], bytes]:
    """Return the numbers of a stream's objects, where each begins (and the last ends), and all."""
    entries = dictionary(body)
    first, count = entries.get(b"/First", b""), entries.get(b"/N", b"")
    if entries.get(b"/Type") != b"/ObjStm" or not (first.isdigit() and count.isdigit()):
        raise UnsupportedPdf("not an object stream")
    table = content[: int(first)].split()
    if len(table) != 2 * int(count) or not all(entry.isdigit() for entry in table):
        raise UnsupportedPdf("not a table of objects")
    offsets = [int(first) + int(offset) for offset in table[1::2]]
    if offsets != sorted(offsets):
        raise UnsupportedPdf("objects out of order")
    return [int(number) for number in table[::2]], [*offsets, len(content)], content
