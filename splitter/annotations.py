"""What is left of a page's annotations: web links, and what they show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from splitter.source import SourceFile
from splitter.syntax import Odd, dictionary, items, references, string_bytes, to_dictionary

_SAFE_URI = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
_URI_SIGNS = "!#$%&'*+,-./:;=?@_~[]"
_HIDDEN = 2  # bit of /F: neither shown nor printed

# How a mark is drawn by viewers themselves: numbers and names, never text or files.
_LOOKS = (
    b"/Rect", b"/F", b"/C", b"/IC", b"/CA", b"/BS", b"/Border", b"/H", b"/QuadPoints", b"/L",
    b"/LE", b"/InkList", b"/Vertices",
)  # fmt: skip
_MARKS = frozenset(
    {
        b"/Highlight", b"/Underline", b"/StrikeOut", b"/Squiggly", b"/Square", b"/Circle",
        b"/Line", b"/Ink", b"/Polygon", b"/PolyLine", b"/Link",
    }
)  # fmt: skip
_NO_BORDER = re.compile(rb"\[\s*[0-9.]+\s+[0-9.]+\s+0(?:\.0*)?\s*(?:\[.*\]\s*)?\]", re.DOTALL)


def safe_annotations(source: SourceFile, raw: bytes) -> list[bytes]:
    """
    Rebuild a page's annotations from what may stay.

    A link keeps its http, https, mailto or tel address. Whatever else is visible becomes a stamp
    with the same looks, without its text, author, file or action.
    """
    found = source.value(raw)
    if found == b"null":
        return []
    rebuilt = (_rebuilt(source, source.value(item)) for item in items(found))
    return [annotation for annotation in rebuilt if annotation is not None]


def _rebuilt(source: SourceFile, raw: bytes) -> bytes | None:
    if raw == b"null":
        return None
    entries = dictionary(raw)
    subtype = source.value(entries.get(b"/Subtype", b""))
    if subtype == b"/Popup" or _flags(source, entries) & _HIDDEN or b"/Rect" not in entries:
        return None
    kept = {b"/Type": b"/Annot", b"/Subtype": subtype} | _looks(source, entries)
    if b"/OC" in entries and references(entries[b"/OC"]):
        kept[b"/OC"] = entries[b"/OC"]
    if subtype == b"/Link":
        return _link(source, entries, kept)
    appearance = _appearance(source, entries)
    if appearance is not None:
        return to_dictionary(kept | {b"/Subtype": b"/Stamp", b"/AP": appearance})
    return to_dictionary(kept) if subtype in _MARKS else None


def _link(
    source: SourceFile, entries: Mapping[bytes, bytes], kept: dict[bytes, bytes]
) -> bytes | None:
    address = _address(source, entries.get(b"/A"))
    if address is not None:
        return to_dictionary(kept | {b"/A": b"<</S/URI/URI(" + address + b")>>"})
    has_frame = b"/BS" in kept or not _NO_BORDER.fullmatch(kept.get(b"/Border", b"[0 0 1]"))
    return to_dictionary(kept) if has_frame else None


def _address(source: SourceFile, action: bytes | None) -> bytes | None:
    """Return a link's address as plain ASCII, escaped for a string; None for any other action."""
    if action is None:
        return None
    entries = source.dictionary(action)
    if source.value(entries.get(b"/S", b"")) != b"/URI" or b"/URI" not in entries:
        return None
    written = string_bytes(source.value(entries[b"/URI"]))
    if written.startswith((b"\xfe\xff", b"\xff\xfe")):
        text = written.decode("utf-16", "replace")
    else:
        text = written.decode("utf-8", "replace")
    text = text.strip()
    if not _SAFE_URI.match(text):
        return None
    return quote(text, safe=_URI_SIGNS).encode("ascii")


def _appearance(source: SourceFile, entries: Mapping[bytes, bytes]) -> bytes | None:
    """Return the normal appearance, of the state the annotation is in; its form is a reference."""
    if b"/AP" not in entries:
        return None
    normal = source.dictionary(entries[b"/AP"]).get(b"/N")
    if normal is None:
        return None
    found = source.value(normal)
    if b"/BBox" not in found:  # not a form, so one form for each state
        normal = dictionary(found).get(source.value(entries.get(b"/AS", b"/Off")), b"null")
    return b"<</N " + normal + b">>" if references(normal) else None


def _looks(source: SourceFile, entries: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    looks = {key: source.value(entries[key]) for key in _LOOKS if key in entries}
    return {key: value for key, value in looks.items() if not references(value)}


def _flags(source: SourceFile, entries: Mapping[bytes, bytes]) -> int:
    written = source.value(entries.get(b"/F", b"0"))
    if not written.lstrip(b"-").isdigit():
        raise Odd("flags")
    return int(written)
