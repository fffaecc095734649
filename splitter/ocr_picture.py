"""A page of a PDF drawn as a picture, the way it is displayed; to be used in a child alone."""

from __future__ import annotations

import ctypes

import pypdfium2.raw as pdfium_c

from splitter.ocr_program import Picture
from splitter.pdfium_text import PdfiumDocument

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
