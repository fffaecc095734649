"""The few marks that a sentence of the office's own may have: bold, italic, links, lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    LINK = "link"
    LINE = "line"  # a new one begins


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a message; `leads_to` is a link's address."""

    mark: Mark
    words: str = ""
    leads_to: str = ""


_PIECE = re.compile(
    r"\[(?P<link>[^\[\]\n]{1,200})\]\((?P<to>[^()\s]{1,600})\)"
    r"|\*\*(?P<bold>[^*\n]{1,500})\*\*|\*(?P<italic>[^*\n]{1,500})\*|(?P<line>\n)"
)
_ADDRESS = re.compile(r"https://[!-~]+|/(?![/\\])[!-~]*")


def read_message(text: str) -> Iterator[Piece]:
    """Yield a message's pieces in their order; a link to anywhere else stays the words it was."""
    end = 0
    for found in _PIECE.finditer(text):
        if found.start() > end:
            yield Piece(Mark.PLAIN, text[end : found.start()])
        yield _piece(found)
        end = found.end()
    if text[end:]:
        yield Piece(Mark.PLAIN, text[end:])


def find_wrong_link(text: str) -> str:
    """Return the address of the first link that leads neither to the web nor into the portal."""
    for found in _PIECE.finditer(text):
        if found["to"] and not _ADDRESS.fullmatch(found["to"]):
            return found["to"]
    return ""


def _piece(found: re.Match[str]) -> Piece:
    if found["link"]:
        if _ADDRESS.fullmatch(found["to"]):
            return Piece(Mark.LINK, found["link"], found["to"])
        return Piece(Mark.PLAIN, found[0])
    if found["bold"]:
        return Piece(Mark.BOLD, found["bold"])
    return Piece(Mark.ITALIC, found["italic"]) if found["italic"] else Piece(Mark.LINE)
