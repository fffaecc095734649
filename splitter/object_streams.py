"""Objects kept in object streams, cut out of them as raw bytes."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

from splitter.raw_objects import RawObject
from splitter.syntax import STRING, Odd, dictionary

_ODD = re.compile(STRING + rb"|(?P<odd>[()%#])", re.DOTALL)
_MOST_KEPT = 256  # streams; neighbours in the file are asked for together


class ObjectStreams:
    """
    The compressed objects of a file, by their numbers.

    `places` tells for each its stream and its place therein, `decoded` gives a stream's dictionary
    and content. Raises Odd for whatever is not written in the plain way.
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
            raise Odd("not in an object stream")
        stream, place = self._places[number]
        numbers, offsets, content = self._open(stream)
        if not 0 <= place < len(numbers) or numbers[place] != number:
            raise Odd("another object there")
        body = content[offsets[place] : offsets[place + 1]].strip()
        if any(match["odd"] for match in _ODD.finditer(body)):
            raise Odd("nested parentheses, a comment or an escaped name")
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
        raise Odd("not an object stream")
    table = content[: int(first)].split()
    if len(table) != 2 * int(count) or not all(entry.isdigit() for entry in table):
        raise Odd("not a table of objects")
    offsets = [int(first) + int(offset) for offset in table[1::2]]
    if offsets != sorted(offsets):
        raise Odd("objects out of order")
    return [int(number) for number in table[::2]], [*offsets, len(content)], content
