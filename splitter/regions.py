"""A region of the page as displayed, in the coordinates the page's content is drawn in."""

from __future__ import annotations

from dataclasses import dataclass

from splitter.patterns import Region

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What is shown of a page: its visible box (left, bottom, right, top) and its rotation."""

    box: Box
    rotation: int  # degrees clockwise


def to_page_space(region: Region, frame: PageFrame) -> Box:
    """
    Return a region given from the displayed top left corner as left, bottom, right, top.

    The unit is the point; a page with /Rotate or a /CropBox is displayed elsewhere than drawn.
    """
    left, top, right, bottom = region
    one = _to_point(left, top, frame)
    other = _to_point(right, bottom, frame)
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[0], other[0]),
        max(one[1], other[1]),
    )


def is_inside(x: float, y: float, box: Box) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _to_point(x: float, y: float, frame: PageFrame) -> tuple[float, float]:
    left, bottom, right, top = frame.box
    match frame.rotation % 360:
        case 90:
            return left + y, bottom + x
        case 180:
            return right - x, bottom + y
        case 270:
            return right - y, top - x
        case _:
            return left + x, top - y
