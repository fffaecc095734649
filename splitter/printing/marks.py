"""An envelope's number on the front of a sheet: drawn in strokes, so that it needs no font."""

from __future__ import annotations

import re
from collections.abc import Mapping

from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import HEX, STRING, dictionary, items
from splitter.text.patterns import PageFrame, Region, point_of_page

HEIGHT, WIDTH, STEP = 8.0, 4.5, 7.0  # points: of a sign, and from one to the next
LONGEST = 24  # signs
MARGIN = 2.0  # points, kept free around a mark
# The strokes of each sign in a box of 2 by 4: lines from point to point.
_STROKES: Mapping[str, str] = {
    "0": "00 20 24 04 00", "1": "10 14", "2": "04 24 22 02 00 20", "3": "04 24 20 00|02 22",
    "4": "04 02 22|24 20", "5": "24 04 02 22 20 00", "6": "24 04 00 20 22 02", "7": "04 24 20",
    "8": "00 20 24 04 00|02 22", "9": "22 02 04 24 20 00", "o": "00 20 22 02 00",
    "f": "24 14 10|02 22", "/": "00 24", " ": "",
}  # fmt: skip


def text_of_mark(envelope: int, envelopes: int, sheet: int, sheets: int) -> str:
    """Say which envelope a sheet is for, and which of its sheets it is: `12 of 756 1/2`."""
    return f"{envelope} of {envelopes} {sheet}/{sheets}"


def region_of_mark(at: tuple[float, float]) -> Region:
    """Return the part of a page as displayed that must be empty for a mark: a region."""
    left, top = at
    return (
        left - MARGIN,
        top - MARGIN,
        left + LONGEST * STEP + MARGIN,
        top + HEIGHT + MARGIN,
    )


def strokes(text: str, at: tuple[float, float], frame: PageFrame) -> bytes:
    """Return the content that draws a mark at a place of a page as displayed."""
    right, up = _directions(frame)
    left, top = at
    x, y = point_of_page(left, top + HEIGHT, frame)
    numbers = (*right, *up, x, y)
    drawn = [b"q %b cm 0 G 0.8 w 1 J 1 j []0 d" % b" ".join(map(_written, numbers))]
    for place, sign in enumerate(text):
        for line in filter(None, _STROKES[sign].split("|")):
            drawn.append(_line(line.split(), place * STEP))
    return b"\n".join([*drawn, b"Q"])


def _line(points: list[str], left: float) -> bytes:
    told = []
    for number, point in enumerate(points):
        x, y = left + int(point[0]) * WIDTH / 2, int(point[1]) * HEIGHT / 4
        told.append(b"%b %b %b" % (_written(x), _written(y), b"l" if number else b"m"))
    return b" ".join([*told, b"S"])


def _directions(frame: PageFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return, in the units of the content, a point to the right and one up as displayed."""
    x, y = point_of_page(0, 0, frame)
    to_right, to_below = point_of_page(1, 0, frame), point_of_page(0, 1, frame)
    return (to_right[0] - x, to_right[1] - y), (x - to_below[0], y - to_below[1])


def _written(number: float) -> bytes:
    return f"{number + 0.0:.3f}".encode()


_STATES = re.compile(STRING + rb"|" + HEX + rb"|(?<![!-~])([qQ])(?![!-~])", re.DOTALL)


def leaves_things_as_they_were(content: bytes) -> bool:
    """
    Say whether a page's content ends with the coordinates it began with.

    What is drawn behind one that does not would stand anywhere. In doubt it does not.
    """
    depth = 0
    for match in _STATES.finditer(content):
        depth += {b"q": 1, b"Q": -1}.get(match[1], 0)
        if depth < 0:
            return False
    return depth == 0


def frame_of(source: SourceFile, attributes: Mapping[bytes, bytes]) -> PageFrame:
    """Return what is shown of a page, given the raw attributes that it has in a copy."""
    box = _box(source, attributes[b"/MediaBox"])
    if b"/CropBox" in attributes:
        crop = _box(source, attributes[b"/CropBox"])
        box = (
            max(box[0], crop[0]),
            max(box[1], crop[1]),
            min(box[2], crop[2]),
            min(box[3], crop[3]),
        )
    turned = source.value(attributes.get(b"/Rotate", b"0"))
    unit = float(source.value(attributes.get(b"/UserUnit", b"1")))
    return PageFrame(box, int(float(turned)) % 360, unit)


def _box(source: SourceFile, raw: bytes) -> tuple[float, float, float, float]:
    sides = [float(source.value(side)) for side in items(source.value(raw))]
    left, right = sorted((sides[0], sides[2]))
    bottom, top = sorted((sides[1], sides[3]))
    return left, bottom, right, top


def inside(attributes: bytes) -> dict[bytes, bytes]:
    """Return the raw attributes of a page, given the inside of its dictionary."""
    return dict(dictionary(b"<<" + attributes + b">>"))
