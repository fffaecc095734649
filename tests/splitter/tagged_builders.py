"""Small tagged bulk files, one page a bill, and a look at the tags of a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.splitter.pdf_builders import opened

FIRST, SECOND = "11-111111-11", "22-222222-22"
LINES = 3


@dataclass
class TaggedFile:
    """What a change of a file is made with; `elements` are those of each page's lines."""

    pdf: pikepdf.Pdf
    root: Any
    document: Any
    pages: list[Any]
    elements: list[list[Any]]

    def element(self, kind: str, parent: Any, **entries: Any) -> Any:
        told = Dictionary(Type=Name.StructElem, S=Name(f"/{kind}"), P=parent, **entries)
        return self.pdf.make_indirect(told)

    @property
    def rows(self) -> Any:
        """The parent tree: key, value, key, value ..."""
        return self.root.ParentTree.Nums


def write_tagged(
    path: Path,
    change: Callable[[TaggedFile], None] | None = None,
    *,
    accounts: tuple[str, ...] = (FIRST, SECOND),
    **how: Any,
) -> Path:
    """Write a bill of three paragraphs for each account, with a flat structure tree."""
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    )
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    told = TaggedFile(pdf, root, None, [], [])
    told.document = root.K = told.element("Document", root)
    for place, account in enumerate(accounts):
        lines = (f"Account: {account}", "Amount Due: $12.50", "Due Date: 11/20/2026")
        content = "\n".join(
            f"/P <</MCID {mark}>> BDC BT /F1 10 Tf 50 {700 - 20 * mark} Td ({line}) Tj ET EMC"
            for mark, line in enumerate(lines)
        )
        page = pdf.add_blank_page(page_size=(612, 792)).obj
        page.Contents = pdf.make_stream(content.encode())
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.StructParents = place
        told.pages.append(page)
        told.elements.append(
            [told.element("P", told.document, Pg=page, K=mark) for mark in range(LINES)]
        )
    told.document.K = Array([element for row in told.elements for element in row])
    rows = [part for place, row in enumerate(told.elements) for part in (place, Array(row))]
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=Array(rows)))
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.Lang = String("en-US")
    if change is not None:
        change(told)
    pdf.save(path, **({"deterministic_id": True} | how))
    return path


def tree_of(copy: bytes) -> list[Any]:
    """A copy's tags as nested lists: a type, then its kids; a mark is a number."""
    with opened(copy) as pdf:
        return [_kid(kid) for kid in _kids(pdf.Root.StructTreeRoot)]


def _kids(element: Any) -> list[Any]:
    kids = element.get("/K", Array())
    return list(kids) if isinstance(kids, Array) else [kids]


def _kid(kid: Any) -> Any:
    if not isinstance(kid, Dictionary):
        return int(kid)
    if "/S" not in kid:
        return "link" if "/Obj" in kid else int(kid.MCID)
    return [str(kid.S)[1:], *map(_kid, _kids(kid))]


def find_elements(copy: bytes, kind: str) -> list[dict[str, Any]]:
    """The elements of a type with what they say, as plain Python."""
    with opened(copy) as pdf:
        return [
            {key[1:]: _plain(value) for key, value in thing.items() if key not in ("/P", "/Pg")}
            for thing in pdf.objects
            if isinstance(thing, Dictionary)
            and thing.get("/Type") == "/StructElem"
            and thing.S == f"/{kind}"
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Array):
        return [_plain(item) for item in value]
    if isinstance(value, Dictionary):
        return {key[1:]: _plain(item) for key, item in value.items() if key not in ("/P", "/Pg")}
    return value if isinstance(value, int) else str(value)


def bears(copy: bytes, secret: str) -> bool:
    """Say whether a text is anywhere in a copy, however it is written."""
    from tests.splitter.pdf_builders import everything_in

    held = everything_in(copy)
    return any(
        written in held or written.hex().encode() in held.lower()
        for written in (secret.encode(), secret.encode("utf-16-be"))
    )
