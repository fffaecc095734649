"""What a content stream names and which codes it shows: its tokens, without strings' insides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from splitter.pdf.syntax import NAME, REGULAR, UnsupportedPdf, names, plain, string_bytes

_FLAT_STRING = re.compile(rb"\([^()\\]*+(?:\\.[^()\\]*+)*+\)", re.DOTALL)
_PICTURE = re.compile(rb"ID(?<!" + REGULAR + rb"ID)[\x00\t\n\x0c\r ]")
_TOKEN = re.compile(
    rb"%[^\r\n]*+|(?P<string>\([^()\\]*+(?:\\.[^()\\]*+)*+\))|(?P<nested>\()"
    rb"|(?P<hex><(?!<)[0-9A-Fa-f\x00\t\n\x0c\r ]*+>)|<<|>>|[\[\]{}]"
    rb"|/(?P<name>" + REGULAR + rb"*+)|(?P<word>" + REGULAR + rb"++)|(?P<odd>[<>)])",
    re.DOTALL,
)  # fmt: skip
_NOT_ROUND = bytes(set(range(256)) - set(b"()"))
_FEW_NAMES = 256  # for each of them it is looked whether a string is before it
_BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
_IMAGE_END = re.compile(
    rb"[\x00\t\n\x0c\r ]EI(?=[\x00\t\n\x0c\r ]*(?:\Z|[!-~][\x00\t\n\x0c\r -~]))"
)

Token = tuple[str, bytes]  # name, string, word: a name without its slash, a string's own bytes


def names_used(content: bytes) -> set[bytes]:
    """
    Return the names that a content stream's statements bear, plainly spelled, without their slash.

    What stands in strings, comments and pictures in line names nothing: a bill that prints
    "see /Im7" does not draw it. Where the content is not well written all that looks like a name
    is returned, for viewers read such content each in their way.
    """
    found = list(NAME.finditer(content))
    if len(found) <= _FEW_NAMES and _is_flat(content):
        outside = {match[1] for match in found if _is_outside(content, match.start())}
        return {plain(name) for name in outside} if b"#" in content else outside
    stripped = _FLAT_STRING.sub(b" ", content) if b"(" in content else content
    if b"%" not in stripped and b"(" not in stripped and not _PICTURE.search(stripped):
        return names(stripped)
    try:
        return {plain(value) for kind, value in tokens(content) if kind == "name"}
    except UnsupportedPdf:
        return names(content)


def _is_flat(content: bytes) -> bool:
    """Say whether nothing but strings without brackets and escapes in them can hide a name."""
    if b"\\" in content or b"%" in content or _PICTURE.search(content):
        return False
    brackets = content.translate(None, _NOT_ROUND)
    return brackets == b"()" * (len(brackets) // 2)


def _is_outside(content: bytes, at: int) -> bool:
    """Say whether a place in flat content is outside its strings."""
    return content.rfind(b"(", 0, at) <= content.rfind(b")", 0, at)


def tokens(content: bytes) -> Iterator[Token]:
    """Yield names, strings and words; raises UnsupportedPdf where something has no end."""
    at = 0
    while (match := _TOKEN.search(content, at)) is not None:
        at = match.end()
        kind = match.lastgroup
        if kind == "nested":
            at = _end_of_string(content, at)
            yield "string", string_bytes(content[match.start() : at])
        elif kind in ("string", "hex"):
            yield (
                "string",
                string_bytes(match[0].replace(b"\0", b"") if kind == "hex" else match[0]),
            )
        elif kind == "odd":
            raise UnsupportedPdf("brackets that do not match")
        elif kind is not None:
            yield kind, match[kind]
            if match[0] == b"ID":
                at = _end_of_picture(content, at)


def _end_of_string(content: bytes, at: int) -> int:
    depth = 1
    for match in _BRACKET.finditer(content, at):
        depth += (match[0] == b"(") - (match[0] == b")")
        if not depth:
            return match.end()
    raise UnsupportedPdf("a string without an end")


def _end_of_picture(content: bytes, at: int) -> int:
    end = _IMAGE_END.search(content, at)
    if end is None:
        raise UnsupportedPdf("a picture in line without an end")
    return end.end()


@dataclass(slots=True)
class ShownCodes:
    """
    The bytes of all strings that content shows, by the name of the font they are shown in.

    `inherited` are those shown before a font is chosen: in a form, that of whoever draws it.
    """

    by_font: defaultdict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))
    inherited: set[int] = field(default_factory=set)

    def add(self, other: ShownCodes) -> None:
        """Take in what another content shows that draws with the same names."""
        for font, codes in other.by_font.items():
            self.by_font[font] |= codes
        self.inherited |= other.inherited


_SHOWING = frozenset({b"Tj", b"TJ", b"'", b'"'})


def shown_codes(content: bytes) -> ShownCodes:
    """Return what a content stream shows; raises UnsupportedPdf where it is not well written."""
    shown = ShownCodes()
    font: bytes | None = None
    kept: list[bytes | None] = []
    name = b""
    strings: list[bytes] = []
    for kind, value in tokens(content):
        if kind == "name":
            name = plain(value)
        elif kind == "string":
            strings.append(value)
        elif value[:1] not in b"+-.0123456789":
            if value in _SHOWING:
                codes = shown.inherited if font is None else shown.by_font[font]
                codes.update(*strings)
            elif value == b"Tf":
                font = name
            elif value == b"q":
                kept.append(font)
            elif value == b"Q" and kept:
                font = kept.pop()
            strings.clear()
    return shown
