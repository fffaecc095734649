"""An audit of a copy: is there anything in it that a customer must not get?"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf

from splitter.swift_audit import FORBIDDEN

# Below these the keys are names somebody chose, not the standard's.
FREE_NAMES = frozenset(
    {
        "/CharProcs", "/Colorants", "/ColorSpace", "/ExtGState", "/Font", "/Pattern", "/Properties",
        "/Shading", "/XObject",
    }
)  # fmt: skip
_SAFE_ADDRESS = re.compile(rb"(?:https?://|mailto:|tel:)", re.IGNORECASE)


def audit(copy: bytes, pages: int) -> list[str]:
    """
    Return what is wrong with a copy that must have this number of pages; nothing when it is good.

    Every object must be reachable, every page counted, and no key may lead out of the bill.
    """
    try:
        with pikepdf.open(io.BytesIO(copy), attempt_recovery=False) as document:
            return list(_findings(document, pages))
    except pikepdf.PdfError:
        return ["cannot be opened"]


def _findings(document: pikepdf.Pdf, pages: int) -> Iterator[str]:
    reached: set[tuple[int, int]] = set()
    page_objects = 0
    for value, key in _walk(document, reached):
        if not isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            continue
        page_objects += value.get("/Type") == "/Page"
        if key not in FREE_NAMES:
            yield from _key_findings(value)

    if len(document.pages) != pages:
        yield f"has {len(document.pages)} pages instead of {pages}"
    if page_objects != pages:
        yield f"holds {page_objects} page objects instead of {pages}"
    unreached = sum(_exists(value) and value.objgen not in reached for value in document.objects)
    if unreached:
        yield f"holds {unreached} objects that no page uses"


def _walk(document: pikepdf.Pdf, reached: set[tuple[int, int]]) -> Iterator[tuple[Any, str]]:
    """Yield every object below the catalog once, with the key under which it was found."""
    waiting: list[tuple[Any, str]] = [(document.trailer, "")]
    while waiting:
        value, key = waiting.pop()
        if not _exists(value):
            continue
        if value.is_indirect:
            if value.objgen in reached:
                continue
            reached.add(value.objgen)
        yield value, key
        if isinstance(value, pikepdf.Array):
            waiting.extend((item, key) for item in value)
        elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            waiting.extend((value[name], name) for name in value.keys())  # noqa: SIM118


def _key_findings(value: Any) -> Iterator[str]:
    keys = set(value.keys())
    yield from (f"holds {key}" for key in sorted(keys & FORBIDDEN))
    if value.get("/Type") == "/Annot" and "/P" in keys:
        yield "holds an annotation that leads to its page"
    if "/A" in keys and value.get("/Subtype") == "/Link" and not _is_web_link(value["/A"]):
        yield "holds a link that is no web address"
    if "/Kids" in keys and "/Parent" in keys:
        yield "holds a second page tree"


def _is_web_link(action: Any) -> bool:
    if set(action.keys()) - {"/Type"} != {"/S", "/URI"} or action["/S"] != "/URI":
        return False
    return bool(_SAFE_ADDRESS.match(bytes(action["/URI"])))


def _exists(value: Any) -> bool:
    return isinstance(value, pikepdf.Object) and value._type_name != "null"
