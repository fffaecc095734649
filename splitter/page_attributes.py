"""What a page keeps in a copy: a whitelist, because what is unknown may lead anywhere."""

from __future__ import annotations

from splitter.annotations import safe_annotations
from splitter.plain_pages import check_boxes, check_filters
from splitter.pruning import Pruner
from splitter.raw_objects import NULL
from splitter.sanitising import Sanitiser
from splitter.source import SourceFile
from splitter.syntax import Odd, references

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

    def of(self, entries: dict[bytes, bytes]) -> bytes:
        """
        Return the inside of a page's dictionary, given its own and inherited entries.

        Raises Odd where a content, a font or a picture of the page is something that a copy must
        not hold, and where readers may not agree about the page: it would be another one.
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
            annotations = safe_annotations(self._source, entries[b"/Annots"])
            kept += [b"/Annots [" + b" ".join(annotations) + b"]"] if annotations else []
        return b"\n".join(kept)

    def _check_kept(self, numbers: list[int]) -> None:
        if any(self._sanitiser.get(number)[0] is NULL for number in numbers):
            raise Odd("what the page shows would be left out")
