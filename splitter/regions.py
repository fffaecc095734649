"""A region of the page as displayed, in the coordinates the page's content is drawn in."""

from __future__ import annotations

from dataclasses import dataclass

from splitter.patterns import Region

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What is shown of a page: its visible box (left, bottom, right, top) and its rotation."""

    box: Box  # in the units of the content
    rotation: int  # degrees clockwise
    user_unit: float = 1.0  # points in one of these units


def to_page_space(region: Region, frame: PageFrame) -> Box:
    """
    Return a region given from the displayed top left corner as left, bottom, right, top.

    A region's unit is the point, a 72nd of an inch of the page as a viewer shows it. The content's
    unit may be several (/UserUnit; ISO 32000-1, 8.3.2.3), and a page with /Rotate or a /CropBox is
    displayed elsewhere than drawn.
    """
    left, top, right, bottom = (measure / frame.user_unit for measure in region)
    one = _to_point(left, top, frame)
    other = _to_point(right, bottom, frame)
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[0], other[0]),
        max(one[1], other[1]),
    )


def to_region(box: Box, frame: PageFrame) -> Region:
    """Return a box of the content as left, top, right, bottom of the page as displayed."""
    one = _from_point(box[0], box[1], frame)
    other = _from_point(box[2], box[3], frame)
    unit = frame.user_unit
    return (
        min(one[0], other[0]) * unit,
        min(one[1], other[1]) * unit,
        max(one[0], other[0]) * unit,
        max(one[1], other[1]) * unit,
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


def _from_point(x: float, y: float, frame: PageFrame) -> tuple[float, float]:
    left, bottom, right, top = frame.box
    match frame.rotation % 360:
        case 90:
            return y - bottom, x - left
        case 180:
            return right - x, y - bottom
        case 270:
            return top - y, right - x
        case _:
            return x - left, top - y
