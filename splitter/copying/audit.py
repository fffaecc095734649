"""An audit of a copy: is there anything in it that a customer must not get?"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pikepdf

from splitter.pdf.syntax import plain, references

FORBIDDEN = frozenset(
    {
        "/AA", "/AF", "/AcroForm", "/B", "/Dest", "/Dests", "/EF", "/EmbeddedFiles", "/Encrypt",
        "/Info", "/JS", "/JavaScript", "/LastModified", "/Metadata", "/Names", "/OpenAction",
        "/Outlines", "/PieceInfo", "/Popup", "/StructParent", "/StructParents", "/StructTreeRoot",
        "/Thumb", "/Threads",
    }
)  # fmt: skip
_TRAILER = re.compile(
    rb"xref\n0 ([0-9]+)\n0000000000 65535 f \n((?:[0-9]{10} 00000 n \n)+)"
    rb"trailer\n<</Size ([0-9]+)/Root 1 0 R>>\nstartxref\n([0-9]+)\n%%EOF\n\Z"
)
_LONGEST_END = 80  # what stands behind the table, and some
_HEADER = re.compile(rb"%PDF-1\.7\n%[\x80-\xff]{4}\n")
_OBJECT = re.compile(rb"([0-9]+) 0 obj\n")
_END, _STREAM_END = b"\nendobj\n", b"\nendstream\nendobj\n"
_LENGTH = re.compile(rb"/Length ([0-9]+)")
_SUSPECT = re.compile(
    b"(?:" + b"|".join(sorted((key.encode() for key in FORBIDDEN), reverse=True)) + rb"|/P)"
    rb"(?![A-Za-z0-9_.+-])"
)
_ACTION = re.compile(rb"/A(?![A-Za-z0-9_.+-])")
_WEB_LINK = re.compile(rb"/A <</S/URI/URI\((?:https?://|mailto:|tel:)[^()\\<>]*\)>>", re.I)
_HUGE = re.compile(rb"[0-9]{19}")  # a number that some readers cannot take: their object is null
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z0-9])")
_PAGES = re.compile(rb"<</Type/Pages/Count ([0-9]+)/Kids\[([0-9R ]*)\]>>")


def is_surely_clean(copy: bytes, pages: int) -> bool:
    """
    Say whether a copy is as our own writer writes it, complete, and free of what is forbidden.

    Objects must follow each other without a byte between them, all must be reached from the
    catalog, and page objects must be as many as pages. False means: not known.
    """
    offsets = _offsets(copy)
    if offsets is None:
        return False
    bodies = _bodies(copy, offsets)
    if bodies is None or len(bodies) < 2 or not _has_pages(bodies[1], pages):
        return False

    found = [_looked_at(body) for body in bodies]
    if not all(is_clean for is_clean, _, _ in found):
        return False
    return sum(page for _, page, _ in found) == pages and _all_reached([refs for *_, refs in found])


def _offsets(copy: bytes) -> list[int] | None:
    """Return where objects 1, 2, 3 ... begin and, last, where the table begins."""
    end = copy.rfind(b"startxref\n", len(copy) - _LONGEST_END)
    table = copy[end + 10 :].partition(b"\n")[0]
    if end < 0 or not table.isdigit():
        return None
    match = _TRAILER.match(copy, int(table))
    if match is None or not int(match[1]) == int(match[3]) == len(match[2]) // 20 + 1:
        return None
    rows = match[2]
    return [int(rows[row : row + 10]) for row in range(0, len(rows), 20)] + [int(table)]


def _bodies(copy: bytes, offsets: list[int]) -> list[bytes] | None:
    """Return each object's value (a stream's dictionary); None where bytes are left over."""
    header = _HEADER.match(copy)
    order = sorted(range(len(offsets)), key=offsets.__getitem__)
    if header is None or offsets[order[0]] != header.end():
        return None
    bodies = [b""] * (len(offsets) - 1)
    for index, following in pairwise(order):
        body = _body(copy, index + 1, offsets[index], offsets[following])
        if body is None:
            return None
        bodies[index] = body
    return bodies


def _body(copy: bytes, number: int, start: int, end: int) -> bytes | None:
    match = _OBJECT.match(copy, start, end)
    if match is None or int(match[1]) != number:
        return None
    if copy.endswith(_STREAM_END, start, end):
        return _body_of_stream(copy, match.end(), end - len(_STREAM_END))
    body = copy[match.end() : end - len(_END)]
    return body if copy.endswith(_END, start, end) else None


def _body_of_stream(copy: bytes, start: int, end: int) -> bytes | None:
    at = copy.find(b">>\nstream\n", start, end)
    body = copy[start : at + 2]
    length = _LENGTH.search(body)
    if at < 0 or length is None or at + 10 + int(length[1]) != end:
        return None
    return body


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


def _all_reached(refers_to: list[tuple[int, ...]]) -> bool:
    reached = {1}
    waiting = [1]
    while waiting:
        for number in refers_to[waiting.pop() - 1]:
            if not 0 < number <= len(refers_to):
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
