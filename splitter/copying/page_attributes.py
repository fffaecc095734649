"""What a page keeps in a copy: a whitelist, because what is unknown may lead anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from splitter.copying.sanitizing import Pruner, Sanitiser
from splitter.pdf.objects import NULL
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    UnsupportedPdf,
    dictionary,
    items,
    reference,
    references,
    string_bytes,
    to_dictionary,
)
from splitter.tags.values import to_hexadecimal

_SAFE_URI = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
_URI_SIGNS = "!#$%&'*+,-./:;=?@_~[]"
_DEEPEST_FIELD = 16
_LONGEST_KEY = 9  # digits
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


@dataclass
class TaggedAnnotations:
    """
    A bill's annotations that the source's tags know, as objects of their own.

    `keys` lead to their elements; `gone` are those that a copy leaves out. A field or comment that
    became a stamp has lost what its element says of it: `has_stamps`.
    """

    bodies: dict[int, bytes] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    texts: list[tuple[str, bytes]] = field(default_factory=list)
    has_stamps: bool = False


def safe_annotations(
    source: SourceFile, raw: bytes, tagged: TaggedAnnotations | None = None
) -> list[bytes]:
    """
    Rebuild a page's annotations from what may stay.

    A link keeps its http, https, mailto or tel address. Whatever else is visible becomes a stamp
    with the same looks, without its text, author, file or action. Given a place for them, those
    that the tags know stand there, and are referred to.
    """
    found = source.value(raw)
    if found == b"null":
        return []
    rebuilt = ((item, _rebuilt(source, source.value(item))) for item in items(found))
    if tagged is None:
        return [annotation for _, annotation in rebuilt if annotation is not None]
    kept = [_with_tag(source, item, annotation, tagged) for item, annotation in rebuilt]
    return [annotation for annotation in kept if annotation is not None]


def _with_tag(
    source: SourceFile, item: bytes, annotation: bytes | None, tagged: TaggedAnnotations
) -> bytes | None:
    number = reference(item)
    if number is None or number in tagged.bodies:
        return annotation
    if annotation is None:
        tagged.gone.add(number)
        return None
    entries = source.dictionary(item)
    key = source.value(entries.get(b"/StructParent", b""))
    if not key.isdigit() or len(key) > _LONGEST_KEY:
        return annotation
    if source.value(entries.get(b"/Subtype", b"")) != b"/Link":
        tagged.has_stamps = True
        return annotation
    text = _text(source.value(entries.get(b"/Contents", b"null")))
    if text:
        tagged.texts.append(("Link", text))
        annotation = annotation.removesuffix(b">>") + b"/Contents" + to_hexadecimal(text) + b">>"
    tagged.bodies[number], tagged.keys[number] = annotation, int(key)
    return b"%d 0 R" % number


def _text(raw: bytes) -> bytes:
    try:
        return string_bytes(raw)
    except (UnsupportedPdf, ValueError):  # what a link says is no reason to hold its page
        return b""


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
    if _is_drawn_by_viewers(source, subtype, entries):
        raise UnsupportedPdf("a field or a comment that viewers draw by themselves")
    return to_dictionary(kept) if subtype in _MARKS else None


def _is_drawn_by_viewers(
    source: SourceFile, subtype: bytes, entries: Mapping[bytes, bytes]
) -> bool:
    """Say whether viewers write a text there by themselves: a copy would lack it."""
    if subtype == b"/FreeText":
        return _holds_text(source, entries, b"/Contents") or b"/RC" in entries
    if subtype == b"/Stamp":
        return True
    if subtype != b"/Widget":
        return False
    field = entries
    for _ in range(_DEEPEST_FIELD):
        if _holds_text(source, field, b"/V"):
            return True
        if b"/Parent" not in field:
            return False
        field = source.dictionary(field[b"/Parent"])
    return True


def _holds_text(source: SourceFile, entries: Mapping[bytes, bytes], key: bytes) -> bool:
    value = source.value(entries.get(key, b"null"))
    if value[:1] not in (b"(", b"<"):
        return False
    return bool(string_bytes(value).strip(b"\xfe\xff\xef\xbb\xbf\x00 "))


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
        raise UnsupportedPdf("flags")
    return int(written)


_BOXES = (b"/MediaBox", b"/CropBox")
_NUMBER = rb"[+-]?(?:[0-9]{1,6}(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN_NUMBER = re.compile(_NUMBER)
_PLAIN_BOX = re.compile(rb"\[\s*" + rb"\s+".join([_NUMBER] * 4) + rb"\s*\]")
_NAME = re.compile(rb"/([^/\[\]\s]+)")
_FILTERS = frozenset(
    {
        b"A85", b"AHx", b"ASCII85Decode", b"ASCIIHexDecode", b"Fl", b"FlateDecode", b"LZW",
        b"LZWDecode", b"RL", b"RunLengthDecode",
    }
)  # fmt: skip
_MOST_FILTERS = 4


def check_boxes(source: SourceFile, entries: Mapping[bytes, bytes]) -> None:
    """Raise UnsupportedPdf for a box that is not four numbers: readers leave such pages out."""
    for key in _BOXES:
        raw = entries.get(key)
        if raw is None or _PLAIN_BOX.fullmatch(raw):
            continue
        numbers = [source.value(item) for item in items(source.value(raw))]
        if len(numbers) != 4 or not all(map(_PLAIN_NUMBER.fullmatch, numbers)):
            raise UnsupportedPdf("a box that is none")


def check_filters(source: SourceFile, content: Iterable[int]) -> None:
    """
    Raise UnsupportedPdf for a content with filters that not all readers undo.

    A page that the reading engine finds blank goes to the bill before it; the customer's own reader
    may show somebody else's bill there.
    """
    for number in content:
        if source.get(number).stream is None:
            continue
        entries = source.dictionary(b"%d 0 R" % number)
        filters = _NAME.findall(source.value(entries.get(b"/Filter", b"")))
        if len(filters) > _MOST_FILTERS or not _FILTERS.issuperset(filters):
            raise UnsupportedPdf("a filter that not all readers undo")


KEPT_ATTRIBUTES = (
    b"/MediaBox",
    b"/CropBox",
    b"/BleedBox",
    b"/TrimBox",
    b"/ArtBox",
    b"/Rotate",
    b"/UserUnit",
    b"/Contents",
    b"/Group",
)


class PageAttributes:
    """Chooses the attributes of pages, with references as they are in the source."""

    def __init__(self, source: SourceFile, pruner: Pruner, sanitiser: Sanitiser) -> None:
        self._source = source
        self._pruner = pruner
        self._sanitiser = sanitiser

    def of(self, entries: dict[bytes, bytes], tagged: TaggedAnnotations | None = None) -> bytes:
        """
        Return the inside of a page's dictionary, given its own and inherited entries.

        Annotations that tags know go into `tagged`, where that is given.

        Raises UnsupportedPdf where a content, a font or a picture of the page is something that a
        copy must not hold, and where readers may not agree about the page: it would be another one.
        """
        kept = [
            key + b" " + self._sanitiser.clean_value(entries[key])
            for key in KEPT_ATTRIBUTES
            if key in entries
        ]
        content = self._pruner.content_of_page(entries.get(b"/Contents", b"[]"))
        resources = self._sanitiser.resources(entries.get(b"/Resources", b"<<>>"), content)
        self._check_kept([*content, *references(resources)])
        check_filters(self._source, content)
        check_boxes(self._source, entries)
        kept.append(b"/Resources " + resources)
        if b"/Annots" in entries:
            annotations = safe_annotations(self._source, entries[b"/Annots"], tagged)
            kept += [b"/Annots [" + b" ".join(annotations) + b"]"] if annotations else []
        return b"\n".join(kept)

    def _check_kept(self, numbers: list[int]) -> None:
        if any(self._sanitiser.get(number)[0] is NULL for number in numbers):
            raise UnsupportedPdf("what the page shows would be left out")
