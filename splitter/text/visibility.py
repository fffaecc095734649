"""Whether what a page's text says is seen on it; to be used in a child process alone."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any

import pypdfium2  # starts the library
import pypdfium2.raw as pdfium_c

from domain.accounts import account_key
from splitter.text.normalizing import places_of_signs
from splitter.text.patterns import Box, is_inside

assert pypdfium2 is not None
_UNPAINTED = (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP)
_WHITE = 0xFFFFFFFF
_DOTS = 2.0  # a point: enough to see whether there is any ink
_ROOM = 1.0  # points that a sign may reach over its box
_LEAST_CONTRAST = 24  # of 255


def unseen_values(
    page: Any, text: Any, raw: str, searched: str, pattern: re.Pattern[str], box: Box
) -> tuple[str, ...]:
    """
    Return the values a pattern finds on a page that nobody sees there.

    `raw` is pdfium's own text, `searched` what accounts are looked for in.
    Text is not seen that is written without ink, stands outside the visible box, stands for other
    signs than those shown (ActualText), or lies in a layer that is off. A value that is seen once
    is seen.
    """
    place_of = places_of_signs(raw, searched)
    found: dict[str, list[bool]] = {}
    names: dict[str, str] = {}
    for match in pattern.finditer(searched):
        value = (match[1] or "").strip()
        if key := account_key(value):
            names.setdefault(key, value)
            places = [at for at in range(*match.span(1)) if not searched[at].isspace()]
            indexes = [_index(text, place_of(at)) for at in _some(places)]
            found.setdefault(key, []).append(all(_is_seen(page, text, at, box) for at in indexes))
    return tuple(names[key] for key, seen in found.items() if not any(seen))


def _some(places: list[int]) -> Iterator[int]:
    """The first, the middle and the last: a value is not hidden sign by sign."""
    yield from dict.fromkeys((places[0], places[len(places) // 2], places[-1]))


def _index(text: Any, place: int) -> int:
    return int(pdfium_c.FPDFText_GetCharIndexFromTextIndex(text, place))


def _is_seen(page: Any, text: Any, index: int, box: Box) -> bool:
    if index < 0:
        return True  # it cannot be told
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium_c.FPDFText_GetCharBox(text, index, left, right, bottom, top)
    x, y = (left.value + right.value) / 2, (bottom.value + top.value) / 2
    if not is_inside(x, y, box):  # both in the content's own units, however the page is turned
        return False
    drawn = pdfium_c.FPDFText_GetTextObject(text, index)
    if not drawn:
        return True
    if pdfium_c.FPDFTextObj_GetTextRenderMode(drawn) in _UNPAINTED:
        return False
    is_layered = False
    for mark in range(pdfium_c.FPDFPageObj_CountMarks(drawn)):
        name, keys = _mark(pdfium_c.FPDFPageObj_GetMark(drawn, mark))
        if "ActualText" in keys:
            return False
        is_layered = is_layered or name == "OC"
    corners = left.value, bottom.value, right.value, top.value
    return not is_layered or _has_ink(page, corners)


def _mark(mark: Any) -> tuple[str, list[str]]:
    """Return a mark's name and the names of its entries."""
    count = max(0, pdfium_c.FPDFPageObjMark_CountParams(mark))
    keys = [_read(pdfium_c.FPDFPageObjMark_GetParamKey, mark, number) for number in range(count)]
    return _read(pdfium_c.FPDFPageObjMark_GetName, mark), keys


def _read(ask: Any, *arguments: Any) -> str:
    room = (ctypes.c_ushort * 128)()
    length = ctypes.c_ulong()
    if not ask(*arguments, room, ctypes.sizeof(room), length):
        return ""
    return bytes(room)[: max(0, min(length.value, ctypes.sizeof(room)) - 2)].decode(
        "utf-16-le", "ignore"
    )


def _has_ink(page: Any, corners: Box) -> bool:
    """Say whether anything is drawn where a sign should be: a layer that is off is not."""
    width = max(1, round(pdfium_c.FPDF_GetPageWidthF(page) * _DOTS))
    height = max(1, round(pdfium_c.FPDF_GetPageHeightF(page) * _DOTS))
    xs, ys = [], []
    for x, y in ((corners[0], corners[1]), (corners[2], corners[3])):
        across, down = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
        xs.append(across.value)
        ys.append(down.value)
    room = round(_ROOM * _DOTS)
    left, top = min(xs) - room, min(ys) - room
    size = max(xs) - left + room, max(ys) - top + room
    pixels = _drawn(page, (width, height), (left, top), size)
    return max(pixels) - min(pixels) >= _LEAST_CONTRAST


def _drawn(
    page: Any, whole: tuple[int, int], corner: tuple[int, int], size: tuple[int, int]
) -> bytes:
    columns, rows = size
    room = (ctypes.c_ubyte * (columns * rows))()
    bitmap = pdfium_c.FPDFBitmap_CreateEx(columns, rows, pdfium_c.FPDFBitmap_Gray, room, columns)
    try:
        pdfium_c.FPDFBitmap_FillRect(bitmap, 0, 0, columns, rows, _WHITE)
        pdfium_c.FPDF_RenderPageBitmap(
            bitmap, page, -corner[0], -corner[1], *whole, 0, pdfium_c.FPDF_GRAYSCALE
        )
    finally:
        pdfium_c.FPDFBitmap_Destroy(bitmap)
    return bytes(room)
