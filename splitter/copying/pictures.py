"""A copy's pages looked at beside those of the bulk file: what is drawn must be the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c

MOST_PAGES = 4  # of one bill: the first ones and the last
_DOTS = 1.0  # a point
_MOST_DOTS = 2000  # along one side: a plan is drawn smaller
_CLEARLY = 48  # of 255
_FEWEST_DOTS = 4  # that differ clearly: a digit has more

# Kinds of annotations of which a copy has what is drawn. The others are notes of the office, of
# which viewers draw an icon: they are left out by design, so nothing can be said of such a page's.
_KEPT_KINDS = frozenset(
    {
        pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_FREETEXT, pdfium_c.FPDF_ANNOT_LINE,
        pdfium_c.FPDF_ANNOT_SQUARE, pdfium_c.FPDF_ANNOT_CIRCLE, pdfium_c.FPDF_ANNOT_POLYGON,
        pdfium_c.FPDF_ANNOT_POLYLINE, pdfium_c.FPDF_ANNOT_HIGHLIGHT, pdfium_c.FPDF_ANNOT_UNDERLINE,
        pdfium_c.FPDF_ANNOT_SQUIGGLY, pdfium_c.FPDF_ANNOT_STRIKEOUT, pdfium_c.FPDF_ANNOT_STAMP,
        pdfium_c.FPDF_ANNOT_INK, pdfium_c.FPDF_ANNOT_POPUP, pdfium_c.FPDF_ANNOT_WIDGET,
    }
)  # fmt: skip


class BulkPictures:
    """The pages of a bulk file as pictures; to be used in a child process alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def finding(self, copy: bytes, pages: Sequence[int]) -> str:
        """
        Say what is wrong where a copy of these pages, counted from 0, looks otherwise than they do.

        Of a long bill the first pages and the last are looked at.
        """
        try:
            return "does not look as its pages do in the bulk file" * self._differ(copy, pages)
        except pypdfium2.PdfiumError:
            return "cannot be drawn"

    def _differ(self, copy: bytes, pages: Sequence[int]) -> bool:
        document = _opened(copy)
        try:
            return any(
                self._differs(page, document[place])
                for place, page in enumerate(pages)
                if place < MOST_PAGES - 1 or place == len(pages) - 1
            )
        finally:
            document.close()

    @cached_property
    def _document(self) -> Any:
        return _opened(self._path)

    def _differs(self, number: int, copied: Any) -> bool:
        page = self._document[number]
        try:
            with_annotations = all(kind in _KEPT_KINDS for kind in _annotations(page))
            ours = _drawn(copied, with_annotations)
            theirs = _drawn(page, with_annotations)
        finally:
            page.close()
        if ours == theirs:
            return False
        if len(ours) != len(theirs):
            return True
        clear = sum(abs(one - other) > _CLEARLY for one, other in zip(ours, theirs, strict=True))
        return clear >= _FEWEST_DOTS


def _opened(source: Path | bytes) -> Any:
    document = pypdfium2.PdfDocument(source)
    document.init_forms()  # else the looks of form fields are not drawn
    return document


def _annotations(page: Any) -> list[int]:
    kinds = []
    for index in range(pdfium_c.FPDFPage_GetAnnotCount(page.raw)):
        mark = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        kinds.append(int(pdfium_c.FPDFAnnot_GetSubtype(mark)))
        pdfium_c.FPDFPage_CloseAnnot(mark)
    return kinds


def _drawn(page: Any, with_annotations: bool) -> bytes:
    scale = min(_DOTS, _MOST_DOTS / max(page.get_size()))
    bitmap = page.render(
        scale=scale,
        grayscale=True,
        draw_annots=with_annotations,
        may_draw_forms=with_annotations,
    )
    return bytes(bitmap.buffer)
