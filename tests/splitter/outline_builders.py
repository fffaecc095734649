"""Bookmarks for made-up bulk files, by every way in which writers say where they lead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.splitter.pdf_builders import changed

Entry = tuple[str, object] | tuple[str, object, list["Entry"]]  # title, page or keys, those below
Way = Callable[[pikepdf.Pdf, int], dict[str, object]]


def to_page(pdf: pikepdf.Pdf, page: int) -> dict[str, object]:
    return {"Dest": Array([pdf.pages[page].obj, Name.Fit])}


def by_action(pdf: pikepdf.Pdf, page: int) -> dict[str, object]:
    return {"A": Dictionary(S=Name.GoTo, D=Array([pdf.pages[page].obj, Name.Fit]))}


def by_number(_pdf: pikepdf.Pdf, page: int) -> dict[str, object]:
    return {"Dest": Array([page, Name.Fit])}


def by_name(pdf: pikepdf.Pdf, page: int) -> dict[str, object]:
    """Lead there by the tree of names, two levels deep; the value is a dictionary."""
    if "/Names" not in pdf.Root:
        leaves = [pdf.make_indirect(Dictionary(Names=Array())) for _ in range(2)]
        pdf.Root.Names = Dictionary(Dests=pdf.make_indirect(Dictionary(Kids=Array(leaves))))
    name = String(f"bill {page}")
    value = pdf.make_indirect(Dictionary(D=Array([pdf.pages[page].obj, Name.Fit])))
    pdf.Root.Names.Dests.Kids[page % 2].Names.extend([name, value])
    return {"Dest": name}


def by_old_name(pdf: pikepdf.Pdf, page: int) -> dict[str, object]:
    if "/Dests" not in pdf.Root:
        pdf.Root.Dests = pdf.make_indirect(Dictionary())
    pdf.Root.Dests[f"/bill{page}"] = Array([pdf.pages[page].obj, Name.Fit])
    return {"A": Dictionary(S=Name.GoTo, D=Name(f"/bill{page}"))}


WAYS: tuple[Way, ...] = (to_page, by_action, by_number, by_name, by_old_name)


def with_bookmarks(path: Path, entries: Sequence[Entry], way: Way = to_page) -> Path:
    """Give a file bookmarks; a number leads to that page, a mapping gives other keys as such."""

    def mark(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Outlines = pdf.make_indirect(Dictionary(Type=Name.Outlines))
        _add(pdf, pdf.Root.Outlines, entries, way)

    return changed(path, mark)


def _add(pdf: pikepdf.Pdf, parent: pikepdf.Object, entries: Sequence[Entry], way: Way) -> None:
    before = None
    for title, to, *below in entries:
        keys = way(pdf, to) if isinstance(to, int) else dict(to)  # type: ignore[call-overload]
        item = pdf.make_indirect(Dictionary(Title=String(title), Parent=parent))
        for key, value in keys.items():
            item[f"/{key}"] = value
        if before is None:
            parent.First = item
        else:
            before.Next, item.Prev = item, before
        if below:
            _add(pdf, item, below[0], way)
        parent.Last = before = item
