"""How long a page's unit is: a point, or several where its /UserUnit says so."""

from __future__ import annotations

import re
from collections.abc import Callable

from splitter.page_tree import PageTree

UserUnits = Callable[[int], float]  # of a page counted from 0: points in one unit of its content

_NUMBER = re.compile(rb"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
POINT = 1.0


def in_points(_page: int) -> float:
    """Say that the units are points, as of nearly every page there is."""
    return POINT


def units_of_tree(pages: PageTree) -> UserUnits:
    """Look into the pages of a bulk file; nothing is inherited here (ISO 32000-1, table 30)."""

    def unit(page: int) -> float:
        raw = pages.entries(page).get(b"/UserUnit")
        return POINT if raw is None else to_unit(pages.source.value(raw))

    return unit


def units_of_copy(copy: bytes) -> UserUnits:
    """Look into a bill's copy, independently of where it came from."""
    if b"/UserUnit" not in copy:
        return in_points
    from splitter.pypdf_text import open_reader  # takes long to load and is seldom needed

    pages = open_reader(copy).pages
    return lambda page: to_unit(str(pages[page].user_unit).encode())


def to_unit(raw: bytes) -> float:
    """Read the value of a /UserUnit; what is no positive number counts for nothing."""
    unit = float(raw) if _NUMBER.fullmatch(raw) else POINT
    return unit or POINT
