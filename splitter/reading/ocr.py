"""Pages that are only a picture, read by OCR: believed only where two readings agree."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from typing import TypeVar

import pypdfium2.raw as pdfium_c

from domain.accounts import account_key
from domain.bills import PageFacts
from splitter.reading.tesseract import Picture, ProgramFailed, Word, words_in
from splitter.text.normalizing import normalized
from splitter.text.page_facts import Reading, find_accounts, is_conclusive, is_separator, to_facts
from splitter.text.patterns import Patterns, Region
from splitter.text.pdfium import PdfiumDocument

MOST_PIXELS = 40_000_000  # twice a ledger sheet at 300 dots an inch
_WHITE = 0xFFFFFFFF


def draw(
    document: PdfiumDocument, number: int, user_unit: float, dots_per_inch: int
) -> Picture | None:
    """
    Draw a page, turned and cropped as displayed; None where it cannot be or is too large.

    `user_unit` is how many points a unit of the page is, which pdfium does not know.
    """
    page = pdfium_c.FPDF_LoadPage(document.raw, number)
    if not page:
        return None
    try:
        scale = dots_per_inch / 72 * user_unit
        width = round(pdfium_c.FPDF_GetPageWidthF(page) * scale)
        height = round(pdfium_c.FPDF_GetPageHeightF(page) * scale)
        if width < 1 or height < 1 or width * height > MOST_PIXELS:
            return None
        return Picture(width, height, _pixels(page, width, height), dots_per_inch)
    finally:
        pdfium_c.FPDF_ClosePage(page)


def _pixels(page: pdfium_c.FPDF_PAGE, width: int, height: int) -> bytes:
    room = (ctypes.c_ubyte * (width * height))()
    bitmap = pdfium_c.FPDFBitmap_CreateEx(width, height, pdfium_c.FPDFBitmap_Gray, room, width)
    try:
        pdfium_c.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        how = pdfium_c.FPDF_GRAYSCALE
        pdfium_c.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, how)
    finally:
        pdfium_c.FPDFBitmap_Destroy(bitmap)
    return bytes(room)


V = TypeVar("V")

RESOLUTIONS = (200, 300)  # dots an inch: a digit misread at one is seldom misread alike at both
BLOCKS, ROWS = 4, 6  # tesseract's layouts: as it sees blocks; all as one, which keeps rows whole
_ENDS = re.compile(r"(?!\S)(?! [0-9.\-])")  # nothing follows on the line that may belong to it


def is_picture(readings: Iterable[Reading | None]) -> bool:
    """Say whether every engine could look and none found any text: only then is a page read."""
    return all(reading is not None and not reading.text.strip() for reading in readings)


def facts_by_ocr(
    document: PdfiumDocument, number: int, user_unit: float, patterns: Patterns
) -> tuple[PageFacts, str] | None:
    """
    Return what a page shows, and its text; None where it surely names no one account.

    A misread digit is somebody else's bill in the mail. So the page is drawn in two sizes, and
    both readings must name the same account and no other. An amount, a due date or a page number
    that they read differently is not there; one of them may miss it, for there are checks of it.
    A page that looks like a separator goes to a person.
    """
    drawings = [draw(document, number, user_unit, resolution) for resolution in RESOLUTIONS]
    pictures = [picture for picture in drawings if picture is not None]
    if len(pictures) < len(RESOLUTIONS):
        return None
    named: set[str] = set()
    for layout in (BLOCKS, ROWS):
        try:
            readings = [_reading(picture, layout, patterns.region) for picture in pictures]
        except ProgramFailed:
            return None
        each = [_accounts(reading, patterns) for reading in readings]
        named = named.union(*each)
        if len(named) > 1 or not all(_is_plain(reading, patterns) for reading in readings):
            return None
        if all(each):
            facts = _agreed([to_facts(number, [reading], patterns) for reading in readings])
            return (facts, readings[-1].text) if facts else None
    return None


def _reading(picture: Picture, layout: int, region: Region | None) -> Reading:
    words = words_in(picture, layout)
    text = _to_text(words)
    if region is None:
        return Reading(text, text)
    left, top, right, bottom = region
    inside = [word for word in words if left <= word.x <= right and top <= word.y <= bottom]
    return Reading(text, _to_text(inside))


def _to_text(words: Iterable[Word]) -> str:
    lines: dict[tuple[str, ...], list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    return normalized("\n".join(" ".join(line) for line in lines.values()))


def _accounts(reading: Reading, patterns: Patterns) -> set[str]:
    return {account_key(account) for account in find_accounts(reading, patterns)[0]}


def _is_plain(reading: Reading, patterns: Patterns) -> bool:
    """Say whether a reading is no separator and an account in it stands there as a whole word."""
    if is_separator(reading, patterns):
        return False
    ends = [match.end(1) for match in patterns.account.finditer(reading.searched)]
    if not all(_ENDS.match(reading.searched, end) for end in ends if end >= 0):
        return False
    return not ends or is_conclusive(reading, patterns)


def _agreed(facts: list[PageFacts]) -> PageFacts | None:
    one, other = facts
    if not (one.has_text and other.has_text):
        return None
    return PageFacts(
        page=one.page,
        accounts=other.accounts,
        amounts=_undisputed(one.amounts, other.amounts, ()),
        due_dates=_undisputed(one.due_dates, other.due_dates, ()),
        number=_undisputed(one.number, other.number, None),
        by_ocr=True,
    )


def _undisputed(one: V, other: V, nothing: V) -> V:
    if one and other and one != other:
        return nothing
    return one or other
