"""An audit of a copy: is there anything in it that a customer must not get?"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from splitter.copying.layout import CopyLayout, read_layout
from splitter.copying.tag_rules import (
    TagsSeen,
    allowed_here,
    are_labels,
    is_link,
    tag_findings,
    without_catalog_end,
    without_tag_keys,
)
from splitter.pdf.syntax import plain, references

if TYPE_CHECKING:  # loaded by the full audit alone: most copies need none
    import pikepdf

FORBIDDEN = frozenset(
    {
        "/AA", "/AF", "/AcroForm", "/B", "/Dest", "/Dests", "/EF", "/EmbeddedFiles", "/Encrypt",
        "/Info", "/JS", "/JavaScript", "/LastModified", "/Metadata", "/Names", "/OpenAction",
        "/Outlines", "/PieceInfo", "/Popup", "/StructParent", "/StructParents", "/StructTreeRoot",
        "/Thumb", "/Threads",
    }
)  # fmt: skip
_SUSPECT = re.compile(
    b"(?:" + b"|".join(sorted((key.encode() for key in FORBIDDEN), reverse=True)) + rb"|/P)"
    rb"(?![A-Za-z0-9_.+-])"
)
_ACTION = re.compile(rb"/A(?![A-Za-z0-9_.+-])")
_WEB_LINK = re.compile(rb"/A <</S/URI/URI\((?:https?://|mailto:|tel:)[^()\\<>]*\)>>", re.I)
_HUGE = re.compile(rb"[0-9]{19}")  # a number that some readers cannot take: their object is null
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z0-9])")
_PAGES = re.compile(rb"<</Type/Pages/Count ([0-9]+)/Kids\[([0-9R ]*)\]>>")


def is_clean_layout(layout: CopyLayout, pages: int) -> bool:
    """
    Say whether a copy that our own writer laid out is complete, and free of what is forbidden.

    All objects must be reached from the catalog, and page objects must be as many as pages. What
    is a tag or a label must be one of ours, in its place. False means: not known.
    """
    if not _has_pages(layout.bodies.get(2, b""), pages):
        return False
    catalog, root, metadata = without_catalog_end(layout.bodies.get(1, b""))
    if not _are_labels(layout, metadata):
        return False
    refers_to: dict[int, Sequence[int]] = {}
    tags = TagsSeen()
    page_numbers, links = set(), set()
    for number, body in layout.bodies.items():
        if number in (layout.information, metadata):
            refers_to[number] = ()
            continue
        if number in layout.packed and (named := tags.take(number, body)) is not None:
            refers_to[number] = named
            continue
        kept = catalog if number == 1 else body
        if root is not None:
            kept = without_tag_keys(kept)
            links |= {number} if is_link(body) else set()
        is_clean, is_page, refers_to[number] = _looked_at(kept)
        if not is_clean:
            return False
        if is_page:
            page_numbers.add(number)
    refers_to[0] = [1, *(number for number in (layout.information, root, metadata) if number)]
    return (
        len(page_numbers) == pages
        and tags.are_sound(root, page_numbers, links)
        and _all_reached(refers_to)
    )


def _are_labels(layout: CopyLayout, metadata: int | None) -> bool:
    information = layout.information
    if information is None or metadata is None:
        return information is None and metadata is None
    return are_labels(
        layout.bodies.get(information, b""), layout.bodies.get(metadata, b""),
        layout.stream(metadata) or b"",
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _looked_at(body: bytes) -> tuple[bool, bool, tuple[int, ...]]:
    """Return whether a value is clean, whether it is a page, and what it refers to."""
    spelled = plain(body)
    actions = len(_ACTION.findall(spelled))
    is_clean = (
        not _SUSPECT.search(spelled)
        and not _HUGE.search(spelled)
        and (not actions or actions == len(_WEB_LINK.findall(spelled)))
        and (b"/Kids" not in spelled or _PAGES.fullmatch(body) is not None)
    )
    return is_clean, _PAGE.search(spelled) is not None, tuple(references(body))


def _has_pages(body: bytes, pages: int) -> bool:
    match = _PAGES.fullmatch(body)
    return match is not None and int(match[1]) == match[2].count(b"R") == pages


def _all_reached(refers_to: Mapping[int, Sequence[int]]) -> bool:
    """Say whether all is reached from the trailer, 0, and nothing is that is not there."""
    reached = {0}
    waiting = [0]
    while waiting:
        for number in refers_to[waiting.pop()]:
            if number not in refers_to or not number:
                return False
            if number not in reached:
                reached.add(number)
                waiting.append(number)
    return len(reached) == len(refers_to)


# Below these the keys are names somebody chose, not the standard's.
FREE_NAMES = frozenset(
    {
        "/CharProcs", "/Colorants", "/ColorSpace", "/ExtGState", "/Font", "/Pattern", "/Properties",
        "/Shading", "/XObject",
    }
)  # fmt: skip
_ENDING = re.compile(rb"\nstartxref\n[0-9]+\n%%EOF\n\Z")
_PACKING = frozenset({"/ObjStm", "/XRef"})
_SAFE_ADDRESS = re.compile(rb"(?:https?://|mailto:|tel:)", re.IGNORECASE)


def audit(copy: bytes, pages: int) -> list[str]:
    """
    Return what is wrong with a copy that must have this number of pages; nothing when it is good.

    Every object must be reachable, every page counted, and no key may lead out of the bill. Bytes
    that no reader asks for are somebody's, too: a copy is one file, and ends where it says so.
    """
    import pikepdf

    found = [] if _is_one_file(copy) else ["does not end where its own end is"]
    try:
        with pikepdf.open(io.BytesIO(copy), attempt_recovery=False) as document:
            return [*found, *_findings(document, pages, _of_writer(copy))]
    except pikepdf.PdfError:
        return [*found, "cannot be opened"]


def _is_one_file(copy: bytes) -> bool:
    return _ENDING.search(copy) is not None and copy.count(b"\nstartxref\n") == 1


def _of_writer(copy: bytes) -> frozenset[str]:
    """Return the types of objects that no page uses and a packed copy of our own writer has."""
    layout = read_layout(copy)
    return _PACKING if layout is not None and layout.packed else frozenset()


def _findings(document: pikepdf.Pdf, pages: int, allowed: frozenset[str]) -> Iterator[str]:
    import pikepdf

    reached: set[tuple[int, int]] = set()
    page_objects = 0
    for value, key in _walk(document, reached):
        if not isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            continue
        page_objects += value.get("/Type") == "/Page"
        if key not in FREE_NAMES:
            yield from _key_findings(value, allowed_here(document, value, key))
    yield from tag_findings(document)

    if len(document.pages) != pages:
        yield f"has {len(document.pages)} pages instead of {pages}"
    if page_objects != pages:
        yield f"holds {page_objects} page objects instead of {pages}"
    unreached = sum(
        _exists(value)
        and value.objgen not in reached
        and not (isinstance(value, pikepdf.Stream) and value.get("/Type") in allowed)
        for value in document.objects
    )
    if unreached:
        yield f"holds {unreached} objects that no page uses"


def _walk(document: pikepdf.Pdf, reached: set[tuple[int, int]]) -> Iterator[tuple[Any, str]]:
    """Yield every object below the catalog once, with the key under which it was found."""
    import pikepdf

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


def _key_findings(value: Any, allowed: Set[str]) -> Iterator[str]:
    keys = set(value.keys()) - allowed
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
    import pikepdf

    return isinstance(value, pikepdf.Object) and value._type_name != "null"
