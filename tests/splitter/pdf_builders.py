"""Small bulk files made on the fly, and a look at what a copy shows and holds."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf
import pypdfium2
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from domain.periods import BulkFile
from splitter.copying.audit import is_clean_layout
from splitter.copying.layout import read_layout

ACCOUNT = r"Account:\s*([0-9.\-]+)"
AMOUNT = r"Amount Due:\s*(\(?-?\$?[\d,]+\.\d\d\)?)"
DUE = r"Due Date:\s*(\d{1,2}/\d{1,2}/\d{4})"


def a_bulk_file(**changes: object) -> BulkFile:
    told = {"form": "utility-bill", "file": "bills.pdf", "account": ACCOUNT}
    return BulkFile(**(told | {"amount_due": AMOUNT, "due_on": DUE} | changes))


def a_page(account: str = "", *lines: str, number: str = "") -> list[str]:
    """The lines of one page; a page without an account is one that goes on."""
    head = [f"Account: {account}", "Amount Due: $12.50", "Due Date: 11/20/2026"] if account else []
    return [*head, *([f"Page {number}"] if number else []), *lines]


def write_pdf(path: Path, pages: Sequence[Sequence[str]], draw: Callable | None = None) -> Path:
    """Write a page for each list of lines; `draw(canvas, page)` adds what else is on it."""
    canvas = Canvas(str(path), pagesize=letter, invariant=1)
    for number, lines in enumerate(pages):
        for row, line in enumerate(lines):
            canvas.drawString(72, 720 - 20 * row, line)
        if draw is not None:
            draw(canvas, number)
        canvas.showPage()
    canvas.save()
    return path


def a_picture(red: int, green: int, blue: int) -> ImageReader:
    from PIL import Image

    return ImageReader(Image.new("RGB", (8, 8), (red, green, blue)))


def changed(path: Path, change: Callable[[pikepdf.Pdf], None], **how: object) -> Path:
    """Change a PDF with pikepdf, in place."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        change(pdf)
        pdf.save(path, **({"deterministic_id": True} | how))
    return path


def pixels(pdf: Path | bytes, page: int = 0) -> bytes:
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()  # else the looks of form fields are not drawn
    try:
        return bytes(document[page].render(scale=0.5).buffer)
    finally:
        document.close()


def text(pdf: Path | bytes, page: int = 0) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[page].get_textpage().get_text_range()
    finally:
        document.close()


def opened(copy: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(copy))


def everything_in(copy: bytes) -> bytes:
    """All objects of a copy, streams decoded: what a curious customer can see."""
    with opened(copy) as pdf:
        seen = [copy]
        for thing in pdf.objects:
            seen.append(repr(thing).encode("utf-8", "replace"))
            if isinstance(thing, pikepdf.Stream):
                try:
                    seen.append(thing.read_bytes())
                except pikepdf.PdfError:
                    seen.append(thing.read_raw_bytes())
        return b"\n".join(seen)


def page_objects(copy: bytes) -> int:
    with opened(copy) as pdf:
        return sum(
            isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Page"
            for thing in pdf.objects
        )


def is_surely_clean(copy: bytes, pages: int) -> bool:
    """Say whether a copy is as our own writer writes it, whole and without what is forbidden."""
    layout = read_layout(copy)
    return layout is not None and is_clean_layout(layout, pages)
