"""The text of some pages of a bulk file, for a person who writes its patterns."""

from __future__ import annotations

from pathlib import Path

from domain.periods import BulkFile
from splitter.children import Workshop
from splitter.patterns import compile_patterns

_ANYTHING = BulkFile(form="utility-bill", file="", account=r"([0-9]{4,})")


def sample_texts(path: Path, most_pages: int) -> tuple[int, dict[int, str]]:
    """
    Return the number of pages, and the texts of some by their numbers, counted from 0.

    They are the first ones, and others from all over the file. Raises Refused (pdf-unreadable)
    for a file that is not sound.
    """
    with Workshop(path, compile_patterns(_ANYTHING)) as workshop:
        pages = workshop.pages
        first = range(min(pages, -(-most_pages // 2)))
        step = max(1, pages // max(1, most_pages // 2))
        chosen = sorted({*first, *range(0, pages, step)})[:most_pages]
        hand = workshop.hand()
        try:
            request = {"do": "show", "pages": chosen}
            texts = list(hand.ask(request, len(chosen)))
        finally:
            hand.close()
    return pages, dict(zip(chosen, texts, strict=True))
