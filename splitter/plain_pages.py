"""Pages that readers may not agree about: a copy of such a page could show another thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from splitter.source import SourceFile
from splitter.syntax import Odd, items

_BOXES = (b"/MediaBox", b"/CropBox")
_NUMBER = rb"[+-]?(?:[0-9]{1,6}(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN_NUMBER = re.compile(_NUMBER)
_PLAIN_BOX = re.compile(rb"\[\s*" + rb"\s+".join([_NUMBER] * 4) + rb"\s*\]")
_NAME = re.compile(rb"/([^/\[\]\s]+)")
_FILTERS = frozenset(
    {
        b"A85", b"AHx", b"ASCII85Decode", b"ASCIIHexDecode", b"Fl", b"FlateDecode", b"LZW",
        b"LZWDecode", b"RL", b"RunLengthDecode",
    }
)  # fmt: skip
_MOST_FILTERS = 4


def check_boxes(source: SourceFile, entries: Mapping[bytes, bytes]) -> None:
    """Raise Odd for a box that is not four numbers: some readers leave such a page out."""
    for key in _BOXES:
        raw = entries.get(key)
        if raw is None or _PLAIN_BOX.fullmatch(raw):
            continue
        numbers = [source.value(item) for item in items(source.value(raw))]
        if len(numbers) != 4 or not all(map(_PLAIN_NUMBER.fullmatch, numbers)):
            raise Odd("a box that is none")


def check_filters(source: SourceFile, content: Iterable[int]) -> None:
    """
    Raise Odd for a content with filters that not all readers undo.

    A page that the reading engine finds blank goes to the bill before it; the customer's own reader
    may show somebody else's bill there.
    """
    for number in content:
        if source.get(number).stream is None:
            continue
        entries = source.dictionary(b"%d 0 R" % number)
        filters = _NAME.findall(source.value(entries.get(b"/Filter", b"")))
        if len(filters) > _MOST_FILTERS or not _FILTERS.issuperset(filters):
            raise Odd("a filter that not all readers undo")
