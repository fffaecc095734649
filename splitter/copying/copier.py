"""Copies of pages: one bill's, or many bills' in one file, and nothing else of the bulk file."""

from __future__ import annotations

import contextlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from domain.bills import Tagging
from domain.failures import Refused
from splitter.copying.labels import NO_LABELS, CopyLabels
from splitter.copying.page_attributes import PageAttributes
from splitter.copying.sanitizing import Pruner, Sanitiser
from splitter.copying.tagging import TaggedPages, Tagger, TagText
from splitter.copying.writing import Block, Document, GetObject, make_block
from splitter.pdf.objects import RawObject
from splitter.pdf.opening import open_source
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    Fillable,
    UnsupportedPdf,
    dictionary,
    items,
    reference,
    references,
    to_dictionary,
)
from splitter.tags.gathering import GatheredTags, TreeRoot


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


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """A copy, its SHA-256 in hexadecimal, and what became of the tags of its pages."""

    content: bytes
    sha256: str
    tagging: Tagging
    texts: tuple[TagText, ...] = ()  # in the tags, which no page shows


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a copy is written from; the objects that no other copy has by their source's number."""

    tagging: Tagging
    attributes: list[bytes]
    annotations: Mapping[int, bytes]
    elements: Mapping[int, Fillable]
    catalog: bytes = b""
    texts: tuple[TagText, ...] = ()


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
        self._tagger = Tagger(source, tree, pruner, self._attributes)
        self._blocks: OrderedDict[tuple[frozenset[int], CopyLabels], Block] = OrderedDict()
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
        return self.make(pages).content

    def make(self, pages: Sequence[int], labels: CopyLabels = NO_LABELS) -> MadeCopy:
        """
        Return a copy of pages with its hash, its title and language, and its tags.

        Tags are kept whole or not at all: where they cannot be, the copy is one of an untagged
        file, and says why.
        """
        try:
            return self._copy(pages, labels)
        except UnsupportedPdf:
            raise self._source.refusal() from None

    def attributes_of(self, page: int) -> bytes:
        """Return the inside of a page's dictionary as a copy has it, by the source's numbers."""
        try:
            return self._attributes.of(self._tree.entries(page))
        except UnsupportedPdf:
            raise self._source.refusal() from None

    @property
    def tree(self) -> PageTree:
        return self._tree

    @property
    def clean_objects(self) -> GetObject:
        """What hands out the source's objects as a copy may have them."""
        return self._sanitiser.get

    def layers_of(self, document: Document) -> bytes:
        """Return what a catalog must say of the layers that a document's pages use."""
        return self._optional_content.properties(document.sources)

    def add_to(
        self, document: Document, pages: Sequence[int], gathered: GatheredTags | None = None
    ) -> bytes:
        """
        Add pages to a document, and return what its catalog must say of their layers.

        Their tags are added to those that were gathered, whole or not at all.
        """
        try:
            if gathered is not None:
                _, tagged = self._tagger.tagged(pages, gathered.next_key)
                if tagged is not None:
                    return self._add_tagged(document, pages, tagged, gathered)
            document.turn_to(self._sanitiser.get)
            for page in pages:
                document.add_page(self._attributes.of(self._tree.entries(page)))
            return self._optional_content.properties(document.sources)
        except UnsupportedPdf:
            raise self._source.refusal() from None

    def _add_tagged(
        self, document: Document, pages: Sequence[int], tagged: TaggedPages, gathered: GatheredTags
    ) -> bytes:
        root = TreeRoot.of(tagged.elements, tagged.catalog)
        gathered.root = gathered.root or document.reserve()
        document.turn_to(self._get_with(tagged.annotations), {root.number: gathered.root})
        for page, attributes in zip(pages, tagged.attributes, strict=True):
            document.add_page(attributes, self._tree.pages[page][0])
        layers = self._optional_content.properties(document.sources)
        elements = self._with_language(root, tagged.elements)
        if not (document.sources & elements.keys()) - {root.number}:  # else: see _written
            rows = [
                b"%d 0 R" % document.add_own(document.renumbered(row)) if row[:1] == b"["
                else document.renumbered(row)
                for row in root.rows
            ]  # fmt: skip
            tops = [document.renumbered(top) for top in root.tops]
            document.pack(elements)
            gathered.add(tops, rows, has_suspects=root.has_suspects)
            gathered.languages.add(self._tagger.language)
        return layers

    def _with_language(
        self, root: TreeRoot, elements: Mapping[int, Fillable]
    ) -> dict[int, Fillable]:
        """Let each top element say the language of its file: among others' nothing else does."""
        found, language = dict(elements), self._tagger.language
        for number in map(reference, root.tops):
            assert number is not None
            body, numbers = found[number]
            if language and b"/Lang" not in dictionary(body % numbers):
                body = body.removesuffix(b">>") + b"/Lang(" + language + b")>>"
                found[number] = body, numbers
        return found

    def _copy(self, pages: Sequence[int], labels: CopyLabels) -> MadeCopy:
        tagging, tagged = Tagging.DROPPED, None
        if labels.keeps_tags:
            tagging, tagged = self._tagger.tagged(pages)
        if tagged is None:
            attributes = [self._attributes.of(self._tree.entries(page)) for page in pages]
            return self._written(pages, _Parts(tagging, attributes, {}, {}), labels)
        parts = _Parts(
            tagging, tagged.attributes, tagged.annotations, tagged.elements, tagged.catalog,
            tagged.texts,
        )  # fmt: skip
        return self._written(pages, parts, labels)

    def _written(self, pages: Sequence[int], parts: _Parts, labels: CopyLabels) -> MadeCopy:
        get = self._get_with(parts.annotations) if parts.annotations else self._sanitiser.get
        common = frozenset().union(*(self._common_objects(page, get) for page in parts.attributes))
        written: list[bytes] = []
        block = self._block(common, labels)
        document = Document(written.append, get, block)
        is_tagged = bool(parts.elements)
        for page, attributes in zip(pages, parts.attributes, strict=True):
            document.add_page(attributes, self._tree.pages[page][0] if is_tagged else None)
        entries = self._optional_content.properties(document.sources)
        entries += parts.catalog + labels.catalog(self._tagger.language)
        if is_tagged and not document.sources.isdisjoint(parts.elements):
            return self._untagged(pages, labels)  # what pages show is one of the elements
        document.finish(entries, parts.elements)
        digest = block.digest.copy()
        digest.update(b"".join(written[1:]))  # the first part is the block
        return MadeCopy(b"".join(written), digest.hexdigest(), parts.tagging, parts.texts)

    def _untagged(self, pages: Sequence[int], labels: CopyLabels) -> MadeCopy:
        copy = self._copy(pages, replace(labels, keeps_tags=False))
        return replace(copy, tagging=Tagging.UNREADABLE)

    def _get_with(self, bodies: Mapping[int, bytes]) -> GetObject:
        """Return what hands out these objects, and all others clean."""
        get = self._sanitiser.get

        def found(number: int) -> tuple[RawObject, list[int]]:
            body = bodies.get(number)
            return get(number) if body is None else (RawObject(body), [])

        return found

    def _common_objects(self, attributes: bytes, get: GetObject) -> frozenset[int]:
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
                waiting += get(number)[1]
        return frozenset(found)

    def _block(self, common: frozenset[int], labels: CopyLabels) -> Block:
        key = common, labels
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = make_block(common, self._sanitiser.get, labels)
            if len(self._blocks) > _MOST_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
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
