"""What an element may say: types, languages, attributes. Standard words alone, never names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from splitter.pdf.syntax import UnsupportedPdf, plain, string_bytes

_TYPES = frozenset(
    b"Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private P H H1 H2 H3"
    b" H4 H5 H6 L LI Lbl LBody Table TR TH TD THead TBody TFoot Span Quote Note Reference BibEntry"
    b" Code Link Annot Ruby RB RT RP Warichu WT WP Figure Formula Form".split()
)
_GROUPING = b"NonStruct"
# Types of PDF 2.0, which the PDF 1.7 that a copy is does not know.
_OLDER = {
    b"DocumentFragment": b"Part", b"Aside": b"Div", b"Title": b"P", b"FENote": b"Note",
    b"Sub": b"Span", b"Em": b"Span", b"Strong": b"Span",
}  # fmt: skip
_LOW_HEADING = re.compile(rb"H(?:[7-9]|[1-9][0-9]{1,2})")
_MOST_STEPS = 16
_LANGUAGE = re.compile(rb"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?")


def type_of(name: bytes, roles: Mapping[bytes, bytes]) -> bytes:
    """
    Return the standard type that a type stands for, so that no copy needs a role map.

    Names of roles may be customers'. What leads nowhere is a group without a meaning.
    """
    for _ in range(_MOST_STEPS):
        if plain(name[1:]) in _TYPES or name not in roles:
            break
        name = roles[name]
    bare = plain(name[1:])
    if _LOW_HEADING.fullmatch(bare):
        return b"H6"
    bare = _OLDER.get(bare, bare)
    return bare if bare in _TYPES else _GROUPING


def language_of(raw: bytes) -> bytes:
    """Return a language (`en-US`), or nothing where a string is none: it might be anything."""
    try:
        text = string_bytes(raw)
    except (UnsupportedPdf, ValueError):
        return b""
    if text.startswith(b"\xfe\xff"):
        text = text.decode("utf-16", "replace").encode("ascii", "replace")
    return text if _LANGUAGE.fullmatch(text) else b""


@dataclass(frozen=True)
class Owner:
    """Which attributes of an owner stay; those of looks only where all of an element does."""

    keys: frozenset[bytes]
    is_of_looks: bool = False


ATTRIBUTES = {
    b"/Table": Owner(
        frozenset({b"/RowSpan", b"/ColSpan", b"/Scope", b"/Headers", b"/Summary"})
    ),
    b"/List": Owner(frozenset({b"/ListNumbering"})),
    b"/Layout": Owner(
        frozenset({b"/Placement", b"/WritingMode", b"/BBox", b"/Width", b"/Height"}),
        is_of_looks=True,
    ),
    b"/PrintField": Owner(frozenset({b"/Role", b"/Checked", b"/checked", b"/Desc"})),
}  # fmt: skip
HEADERS = b"/Headers"
TEXTS = frozenset({b"/Summary", b"/Desc"})
_WORDS = frozenset(
    b"Auto Before Block Both Center Circle Column Decimal Disc End Inline LowerAlpha LowerRoman"
    b" LrTb None Ordered RlTb Row Square Start TbRl Unordered UpperAlpha UpperRoman cb neutral off"
    b" on pb rb tv".split()
)
_NUMBERS = re.compile(
    rb"[-+]?[0-9]{0,7}(?:\.[0-9]{0,8})?|\[(?:[\x00\t\n\x0c\r ]*[-+]?[0-9.]{1,16}){1,8}"
    rb"[\x00\t\n\x0c\r ]*\]"
)


def is_harmless(raw: bytes) -> bool:
    """Say whether an attribute's value is a number, a few, or one of the standard's own words."""
    return (raw[:1] == b"/" and raw[1:] in _WORDS) or bool(raw and _NUMBERS.fullmatch(raw))


# Of PDFDocEncoding, which is Latin 1 in all else that may stand in a number.
_DASHES = {0x84: "\u2014", 0x85: "\u2013", 0x8A: "\u2212"}


def to_text(written: bytes) -> str:
    """Return a PDF text string as it is read aloud (ISO 32000-1, 7.9.2.2)."""
    if written.startswith((b"\xfe\xff", b"\xff\xfe")):
        return written.decode("utf-16", "replace")
    if written.startswith(b"\xef\xbb\xbf"):
        return written[3:].decode("utf-8", "replace")
    return written.decode("latin-1").translate(_DASHES)


def to_hexadecimal(written: bytes) -> bytes:
    return b"<" + written.hex().encode() + b">"
