"""The patterns that find an account, an amount, a due date and a separator in a page's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.failures import Misuse
from domain.periods import BY_TEXT, BulkFile

Region = tuple[float, float, float, float]

# Written so that it is searched for quickly: every page is, and most have no such thing.
PAGE_NUMBER = re.compile(
    r"[Pp][Aa][Gg][Ee](?<!\w....)\s+([0-9]{1,5})\s+[Oo][Ff]\s+([0-9]{1,5})\b", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Patterns:
    """
    A bulk file's patterns, ready to use.

    `separator` is plain text without its white space, because engines disagree about spaces.
    `region` is left, top, right, bottom in points from the top left of the page as displayed;
    it narrows the search for the account alone. With `ocr` pages that are only a picture are read
    as well.
    """

    bulk: BulkFile
    account: re.Pattern[str]
    amount_due: re.Pattern[str] | None
    due_on: re.Pattern[str] | None
    separator: str
    region: Region | None
    ocr: bool = False
    title: re.Pattern[str] | None = None  # of bookmarks or attachments, where these name accounts

    def by_name(self) -> list[tuple[str, str]]:
        """Return the patterns as they are written, by the names they have in bundle.toml."""
        named = (
            ("account", self.account), ("amount_due", self.amount_due), ("due_date", self.due_on),
            ("title", self.title),
        )  # fmt: skip
        return [(name, pattern.pattern) for name, pattern in named if pattern is not None]


def compile_patterns(bulk: BulkFile, *, ocr: bool = False) -> Patterns:
    """
    Compile what a bulk file says about its pages.

    Raises Misuse for a pattern that is no regular expression or has no group 1, and for a region
    without an area: a pattern that never finds anything would call every page nobody's.
    """
    separator = "".join((bulk.separator or "").split())
    if bulk.separator and not separator:
        raise Misuse("The separator is only white space; give the text of a separator page.")

    return Patterns(
        bulk=bulk,
        account=_compiled("account", bulk.account),
        amount_due=_compiled("amount_due", bulk.amount_due) if bulk.amount_due else None,
        due_on=_compiled("due_date", bulk.due_on) if bulk.due_on else None,
        separator=separator,
        region=_checked(bulk.region),
        ocr=ocr,
        title=None if bulk.by == BY_TEXT else _compiled("title", bulk.title or bulk.account),
    )


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as failure:
        raise Misuse(f"The pattern {name} {pattern!r} is not valid: {failure}.") from None
    if compiled.groups < 1:
        raise Misuse(f"The pattern {name} {pattern!r} has no group 1 around the value.")
    return compiled


def _checked(region: Region | None) -> Region | None:
    if region is None:
        return None
    left, top, right, bottom = region
    if not (left < right and top < bottom):
        raise Misuse(
            "The region must be left, top, right, bottom in points from the page's top left corner,"
            f" with left < right and top < bottom; it is {region}."
        )
    return region


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


def point_of_page(left: float, top: float, frame: PageFrame) -> tuple[float, float]:
    """Return a point given from the displayed top left corner in the content's own space."""
    return _to_point(left / frame.user_unit, top / frame.user_unit, frame)


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
