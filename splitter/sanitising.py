"""Objects as a customer may have them: nothing of other customers, nothing that acts."""

from __future__ import annotations

import re
from collections import OrderedDict

from splitter.pruning import Pruner
from splitter.raw_objects import NULL, RawObject
from splitter.source import SourceFile
from splitter.syntax import dictionary, items, plain, references, to_dictionary

FORBIDDEN_KEYS = frozenset(
    {
        b"/AA", b"/AF", b"/Alternates", b"/Dest", b"/EF", b"/JS", b"/LastModified", b"/Measure",
        b"/Metadata", b"/OPI", b"/OpenAction", b"/Parent", b"/PieceInfo", b"/Popup", b"/PtData",
        b"/Ref", b"/StructParent", b"/StructParents", b"/Thumb",
    }
)  # fmt: skip
FORBIDDEN_TYPES = frozenset(
    {
        b"/Action", b"/Annot", b"/Catalog", b"/EmbeddedFile", b"/Filespec", b"/MCR", b"/Metadata",
        b"/OBJR", b"/Page", b"/Pages", b"/StructElem", b"/StructTreeRoot", b"/Template",
    }
)  # fmt: skip
_SUSPECT_KEY = re.compile(
    b"(?:" + b"|".join(sorted(FORBIDDEN_KEYS, reverse=True)) + rb")(?![A-Za-z0-9])|#"
)
_MOST_KEPT_BYTES = 16_000_000


class Sanitiser:
    """
    Hands out the objects a bill may hold.

    Page attributes are chosen by a whitelist elsewhere. This is about what hangs on them: keys
    that lead to other pages, act or carry data are dropped, objects that are such things become
    null, and resources of forms, patterns and Type 3 fonts are pruned like those of a page.
    """

    def __init__(self, source: SourceFile, page_numbers: frozenset[int], pruner: Pruner) -> None:
        self._source = source
        self._page_numbers = page_numbers
        self._pruner = pruner
        self._kept: OrderedDict[int, tuple[RawObject, list[int]]] = OrderedDict()
        self._kept_bytes = 0

    def get(self, number: int) -> tuple[RawObject, list[int]]:
        """Return an object, clean, and the numbers of the objects it refers to."""
        kept = self._kept.get(number)
        if kept is not None:
            self._kept.move_to_end(number)
            return kept
        found = self._clean(number)
        kept = found, references(found.body)
        self._keep(number, kept)
        return kept

    def clean_value(self, raw: bytes) -> bytes:
        """Return a value without forbidden keys, however deep they are nested."""
        if not _SUSPECT_KEY.search(raw):
            return raw
        if raw.startswith(b"<<"):
            return to_dictionary(
                {
                    key: self.clean_value(value)
                    for key, value in dictionary(raw).items()
                    if b"/" + plain(key[1:]) not in FORBIDDEN_KEYS
                }
            )
        if raw.startswith(b"["):
            return b"[" + b" ".join([self.clean_value(item) for item in items(raw)]) + b"]"
        return raw

    def resources(self, raw: bytes, content: list[int]) -> bytes:
        """Return the resources that content streams use; values are cleaned, names are free."""
        return to_dictionary(
            {
                section: to_dictionary(
                    {name: self.clean_value(value) for name, value in entries.items()}
                )
                for section, entries in self._pruner.pruned(raw, content).items()
            }
        )

    def _clean(self, number: int) -> RawObject:
        if number in self._page_numbers:
            return NULL
        found = self._source.get(number)
        if not found.body.startswith(b"<<"):
            return RawObject(self.clean_value(found.body))
        body = self.clean_value(found.body)
        if b"/Type" not in body and b"/Resources" not in body and b"/S" not in body:
            return RawObject(body, found.stream)
        entries = dictionary(body)
        if entries.get(b"/Type") in FORBIDDEN_TYPES or entries.get(b"/S") == b"/JavaScript":
            return NULL
        if b"/Resources" in entries:
            content = self._pruner.content_of(number, found)
            resources = self.resources(entries[b"/Resources"], content)
            body = to_dictionary({**entries, b"/Resources": resources})
        return RawObject(body, found.stream)

    def _keep(self, number: int, kept: tuple[RawObject, list[int]]) -> None:
        self._kept[number] = kept
        self._kept_bytes += _size(kept[0])
        while self._kept_bytes > _MOST_KEPT_BYTES and len(self._kept) > 1:
            _, (dropped, _) = self._kept.popitem(last=False)
            self._kept_bytes -= _size(dropped)


def _size(found: RawObject) -> int:
    return len(found.body) + len(found.stream or b"") + 200
