"""The structure trees of several files on their way into one, whose root is written last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splitter.pdf.syntax import Fillable, dictionary, items, reference

ROOT = b"/StructTreeRoot"


@dataclass(frozen=True, slots=True)
class TreeRoot:
    """What a tree's root says: its number, the elements at the top, and what each key leads to."""

    number: int
    tops: list[bytes]
    rows: list[bytes]  # by key, counted from 0: a page's elements, or the one of an annotation
    has_suspects: bool

    @classmethod
    def of(cls, elements: Mapping[int, Fillable], catalog: bytes) -> TreeRoot:
        """Read the root of a tree that was written for a copy, and what its catalog says of it."""
        told = dictionary(b"<<" + catalog + b">>")
        number = reference(told[ROOT])
        assert number is not None
        body, numbers = elements[number]
        root = dictionary(body % numbers)
        numbered = items(dictionary(root[b"/ParentTree"])[b"/Nums"])
        suspects = b"/Suspects" in dictionary(told[b"/MarkInfo"])
        return cls(number, items(root[b"/K"]), numbered[1::2], suspects)


@dataclass(slots=True)
class GatheredTags:
    """
    The tags of files that are put one behind the other: a tree of all their elements.

    References are those of the file that is being written. What leads from pages to elements is an
    object of its own each, so that memory holds a few bytes a page.
    """

    root: int = 0  # 0: no file so far has tags
    languages: set[bytes] = field(default_factory=set)
    has_suspects: bool = False
    _tops: list[bytes] = field(default_factory=list)
    _rows: list[bytes] = field(default_factory=list)

    @property
    def next_key(self) -> int:
        """The key in the parent tree that the next file's first page gets."""
        return len(self._rows)

    def add(self, tops: list[bytes], rows: list[bytes], *, has_suspects: bool) -> None:
        self._tops += tops
        self._rows += rows
        self.has_suspects |= has_suspects

    def body(self) -> bytes:
        """Return the root of the whole tree."""
        rows = b" ".join([b"%d %b" % (key, row) for key, row in enumerate(self._rows)])
        return b"<</Type/StructTreeRoot/K[%b]/ParentTree<</Nums[%b]>>/ParentTreeNextKey %d>>" % (
            b" ".join(self._tops), rows, len(self._rows),
        )  # fmt: skip

    def catalog(self) -> bytes:
        """Return what the catalog says of tags and language; nothing where there are none."""
        if not self.root:
            return b""
        language = b""
        if len(self.languages) == 1:
            language = b"/Lang(" + next(iter(self.languages)) + b")"
        suspects = b"/Suspects true" if self.has_suspects else b""
        return b"/MarkInfo<</Marked true%b>>%b%b %d 0 R" % (suspects, language, ROOT, self.root)
