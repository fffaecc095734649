"""Portfolios made on the fly: a cover page and a PDF for each bill."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from reportlab.pdfgen.canvas import Canvas

from tests.splitter.pdf_builders import changed, write_pdf

Attached = tuple[str, bytes]  # its name and what is in it


def a_pdf(*pages: Sequence[str]) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written, invariant=1)
    for lines in pages:
        for row, line in enumerate(lines):
            canvas.drawString(72, 720 - 20 * row, line)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def write_portfolio(
    path: Path,
    files: Iterable[Attached],
    *,
    is_portfolio: bool = True,
    nested: bool = False,
    associated: bool = False,
    described: bool = False,
    cover: Sequence[str] = ("Open this file in a reader of portfolios",),
) -> Path:
    """Write a portfolio; `described` puts the names into /Desc, `associated` the files into /AF."""
    write_pdf(path, [cover])

    def attach(pdf: pikepdf.Pdf) -> None:
        pairs = [_specification(pdf, name, content, described) for name, content in files]
        if associated:
            pdf.Root.AF = Array([file for _, file in pairs])
        else:
            pdf.Root.Names = Dictionary(EmbeddedFiles=_tree(pdf, pairs, nested))
        if is_portfolio:
            pdf.Root.Collection = Dictionary(Type=Name.Collection, View=Name.D)

    return changed(path, attach)


def _specification(
    pdf: pikepdf.Pdf, name: str, content: bytes, described: bool
) -> tuple[String, pikepdf.Object]:
    stream = pdf.make_stream(content, Type=Name.EmbeddedFile)
    called = "bill.pdf" if described else name
    file = Dictionary(
        Type=Name.Filespec, F=String(called), UF=String(called), EF=Dictionary(F=stream, UF=stream)
    )
    if described:
        file.Desc = String(name)
    return String(name), pdf.make_indirect(file)


def _tree(
    pdf: pikepdf.Pdf, pairs: Sequence[tuple[String, pikepdf.Object]], nested: bool
) -> pikepdf.Object:
    def leaf(some: Sequence[tuple[String, pikepdf.Object]]) -> pikepdf.Object:
        flat = [part for pair in some for part in pair]
        return pdf.make_indirect(Dictionary(Names=Array(flat)))

    if not nested:
        return leaf(pairs)
    leaves = [leaf(pairs[at : at + 2]) for at in range(0, len(pairs), 2)]
    inner = [pdf.make_indirect(Dictionary(Kids=Array([one]))) for one in leaves]
    return pdf.make_indirect(Dictionary(Kids=Array(inner)))
