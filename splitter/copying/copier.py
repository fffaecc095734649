"""Copies of pages: one bill's, or many bills' in one file, and nothing else of the bulk file."""

from __future__ import annotations

import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path

from domain.failures import Refused
from splitter.copying.page_attributes import PageAttributes
from splitter.copying.sanitizing import Pruner, Sanitiser
from splitter.copying.writing import Block, Document, make_block
from splitter.pdf.opening import open_source
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    UnsupportedPdf,
    dictionary,
    items,
    reference,
    references,
    to_dictionary,
)


class OptionalContent:
    """
    The visibility of the layers in a file.

    Without it a layer that is OFF becomes visible. Only the layers a bill uses are named in its
    copy, because a layer may bear a customer's name.
    """

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._groups: list[int] = []
        self._default: Mapping[bytes, bytes] = {}
        catalog = source.get(source.root).body
        properties = dictionary(catalog).get(b"/OCProperties")
        if properties is not None and source.value(properties) != b"null":
            entries = source.dictionary(properties)
            self._groups = references(source.value(entries.get(b"/OCGs", b"[]")))
            self._default = source.dictionary(entries.get(b"/D", b"<<>>"))

    def properties(self, reached: Set[int]) -> bytes:
        """Return /OCProperties for the objects a bill reaches, or nothing where it has no layer."""
        used = reached & set(self._groups)
        if not used:
            return b""
        default: dict[bytes, bytes] = {
            key: self._source.value(self._default[key])
            for key in (b"/BaseState", b"/Intent")
            if key in self._default
        }
        for key in (b"/ON", b"/OFF", b"/Locked"):
            if key in self._default:
                default[key] = self._only(used, self._default[key])
        if b"/AS" in self._default:
            default[b"/AS"] = self._automatic_states(used)
        groups = b" ".join([b"%d 0 R" % number for number in self._groups if number in used])
        return b"/OCProperties<</OCGs[" + groups + b"]/D" + to_dictionary(default) + b">>"

    def _only(self, used: Set[int], raw: bytes) -> bytes:
        kept = [item for item in items(self._source.value(raw)) if reference(item) in used]
        return b"[" + b" ".join(kept) + b"]"

    def _automatic_states(self, used: Set[int]) -> bytes:
        """Return the usages (such as Print or View) by which viewers set layers themselves."""
        states = []
        for item in items(self._source.value(self._default[b"/AS"])):
            entries = self._source.dictionary(item)
            state = {
                key: self._source.value(entries[key])
                for key in (b"/Event", b"/Category")
                if key in entries
            }
            groups = self._only(used, entries.get(b"/OCGs", b"[]"))
            states.append(to_dictionary(state | {b"/OCGs": groups}))
        return b"[" + b" ".join(states) + b"]"


_SAMPLED_PAGES = 48
_MOST_BLOCKS = 32


class BillCopier:
    """
    A bulk file, open to copy pages from.

    A copy depends on the file and the pages alone: not on what was copied before, nor by which
    process. Objects that many pages share (fonts, a logo) are written once and kept as a ready
    block, with which a copy begins. Forking after opening is safe: nothing is shared but a map of
    the file. Raises Refused (pdf-unreadable) where a page cannot be copied safely.
    """

    @classmethod
    def open(cls, path: Path) -> BillCopier:
        return cls(*open_source(path))

    def __init__(self, source: SourceFile, tree: PageTree) -> None:
        self._source = source
        self._tree = tree
        pruner = Pruner(self._source)
        self._sanitiser = Sanitiser(self._source, tree.numbers, pruner)
        self._attributes = PageAttributes(self._source, pruner, self._sanitiser)
        self._blocks: OrderedDict[frozenset[int], Block] = OrderedDict()
        self._common: dict[int, frozenset[int]] = {}
        try:
            self._optional_content = OptionalContent(self._source)
            self._common = self._find_common()
        except UnsupportedPdf:
            raise self._source.refusal() from None

    @property
    def pages(self) -> int:
        return len(self._tree)

    def copy(self, pages: Sequence[int]) -> bytes:
        """Return a PDF with these pages, counted from 0, in this order."""
        return self.copy_with_sha256(pages)[0]

    def copy_with_sha256(self, pages: Sequence[int]) -> tuple[bytes, str]:
        """Return a copy and its SHA-256 in hexadecimal."""
        try:
            return self._copy(pages)
        except UnsupportedPdf:
            raise self._source.refusal() from None

    def write_pages(self, pages: Iterable[int], write: Callable[[bytes], object]) -> None:
        """Write one PDF with many pages piece by piece, each shared object once."""
        try:
            document = Document(write, self._sanitiser.get)
            for page in pages:
                document.add_page(self._attributes.of(self._tree.entries(page)))
            document.finish(self._optional_content.properties(document.sources))
        except UnsupportedPdf:
            raise self._source.refusal() from None

    def _copy(self, pages: Sequence[int]) -> tuple[bytes, str]:
        attributes = [self._attributes.of(self._tree.entries(page)) for page in pages]
        common = frozenset().union(*(self._common_objects(page) for page in attributes))
        parts: list[bytes] = []
        block = self._block(common)
        document = Document(parts.append, self._sanitiser.get, block)
        for page in attributes:
            document.add_page(page)
        document.finish(self._optional_content.properties(document.sources))
        digest = block.digest.copy()
        digest.update(b"".join(parts[1:]))  # the first part is the block
        return b"".join(parts), digest.hexdigest()

    def _common_objects(self, attributes: bytes) -> frozenset[int]:
        """Return the common objects that a page reaches, also through objects of its own."""
        found: set[int] = set()
        seen: set[int] = set()
        waiting = references(attributes)
        while waiting:
            number = waiting.pop()
            if number in self._common:
                found |= self._common[number]
            elif number not in seen:
                seen.add(number)
                waiting += self._sanitiser.get(number)[1]
        return frozenset(found)

    def _block(self, common: frozenset[int]) -> Block:
        block = self._blocks.get(common)
        if block is None:
            block = self._blocks[common] = make_block(common, self._sanitiser.get)
            if len(self._blocks) > _MOST_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(common)
        return block

    def _find_common(self) -> dict[int, frozenset[int]]:
        """Return the objects that several pages of a sample reach, each with all it reaches."""
        step = max(1, len(self._tree) // _SAMPLED_PAGES)
        uses: Counter[int] = Counter()
        for page in range(0, len(self._tree), step):
            with contextlib.suppress(
                UnsupportedPdf, Refused
            ):  # said of the bill that the page belongs to
                attributes = self._attributes.of(self._tree.entries(page))
                uses.update(self._reached(references(attributes)))
        return {
            number: frozenset(self._reached([number]))
            for number, count in uses.items()
            if count > 1
        }

    def _reached(self, numbers: Iterable[int]) -> set[int]:
        waiting = list(numbers)
        found: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += self._sanitiser.get(number)[1]
        return found
