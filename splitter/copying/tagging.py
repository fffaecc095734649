"""The tags of a copy: kept whole or not at all, because half a tree hides what it lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.bills import Tagging
from domain.failures import Refused
from splitter.copying.marks import PageMarks
from splitter.copying.page_attributes import PageAttributes, TaggedAnnotations
from splitter.copying.sanitizing import Pruner
from splitter.pdf.pages import PageTree
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import Fillable, UnsupportedPdf, dictionary
from splitter.tags.choosing import BillPages
from splitter.tags.reading import TagTree
from splitter.tags.values import language_of, to_text
from splitter.tags.writing import BillTags, tags_of

# What a tree that is none leads to: it must cost a bill its tags, and never the bill.
UNUSABLE = (UnsupportedPdf, Refused, ValueError, KeyError, RecursionError)
TagText = tuple[str, str]  # the kind of element, and what it says


@dataclass(frozen=True, slots=True)
class TaggedPages:
    """The pages of a copy with their tags; numbers and references are the source's."""

    attributes: list[bytes]
    annotations: Mapping[int, bytes]
    elements: Mapping[int, Fillable]  # the tree's root among them
    catalog: bytes
    texts: tuple[TagText, ...]


class Tagger:
    """
    Finds the tags of bills in a bulk file, if it has any.

    `tagging` tells of the whole file whether there may be some; `language` is that of the source.
    """

    def __init__(
        self, source: SourceFile, tree: PageTree, pruner: Pruner, attributes: PageAttributes
    ) -> None:
        self._tree = tree
        self._attributes = attributes
        self._marks = PageMarks(source, pruner)
        self._tags: TagTree | None = None
        self.tagging = Tagging.KEPT
        self.language = b""
        try:
            catalog = source.dictionary(b"%d 0 R" % source.root)
            self.language = language_of(source.value(catalog.get(b"/Lang", b"")))
            self._tags = TagTree.of_file(source, tree)
            if self._tags is None:
                self.tagging = Tagging.NONE
        except UNUSABLE:
            self.tagging = Tagging.UNREADABLE

    def tagged(
        self, pages: Sequence[int], first_key: int = 0
    ) -> tuple[Tagging, TaggedPages | None]:
        """
        Return what became of the tags of a bill's pages, and the pages with them.

        `first_key` is the first page's in the parent tree of the file that they go into.
        """
        if self._tags is None:
            return self.tagging, None
        annotations = TaggedAnnotations()
        attributes = [self._attributes.of(self._tree.entries(page), annotations) for page in pages]
        try:
            bill = BillPages(pages, annotations.keys, annotations.gone)
            tags = tags_of(self._tags, bill)
            if annotations.has_stamps or not self._are_complete(pages, attributes, tags):
                return Tagging.INCOMPLETE, None
        except UNUSABLE:
            return Tagging.UNREADABLE, None
        return Tagging.KEPT, _joined(attributes, annotations, tags, first_key)

    def _are_complete(
        self, pages: Sequence[int], attributes: Sequence[bytes], tags: BillTags
    ) -> bool:
        """
        Say whether the tree has all marks of the pages, and none that they lack.

        What it lacks is not read aloud; what no page shows may be anybody's.
        """
        if not any(tags.marks):
            return False
        for page, kept, marks in zip(pages, attributes, tags.marks, strict=True):
            contents = self._tree.entries(page).get(b"/Contents", b"[]")
            resources = dictionary(b"<<" + kept + b">>").get(b"/Resources", b"<<>>")
            if not self._marks.of(contents, resources).are_all_of(marks.keys()):
                return False
        return True


def _joined(
    attributes: Sequence[bytes], annotations: TaggedAnnotations, tags: BillTags, first_key: int
) -> TaggedPages:
    bodies = {}
    for number, body in annotations.bodies.items():
        key = tags.annotation_keys.get(number)
        own = b"" if key is None else b"/StructParent %d" % (first_key + key)
        bodies[number] = body.removesuffix(b">>") + own + b">>"
    pages = [
        kept + b"\n/StructParents %d/Tabs/S" % key
        for key, kept in enumerate(attributes, start=first_key)
    ]
    texts = [*tags.texts, *annotations.texts]
    return TaggedPages(
        pages,
        bodies,
        tags.bodies,
        tags.catalog,
        tuple((kind, to_text(text)) for kind, text in texts),
    )
