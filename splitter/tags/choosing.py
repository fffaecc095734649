"""Which elements of a tagged bulk file are one bill's, and what stays of those it shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from splitter.pdf.syntax import UnsupportedPdf
from splitter.tags.reading import Element, TagTree, entries_of, reference_of

DEEPEST = 128
MOST_VISITS = 5_000  # of elements that have no content, for one bill
_MOST_KIDS = 1024  # that are looked through for each bill
_MARK_DIGITS = 5
_MARK = re.compile(rb"[0-9]{1,%d}" % _MARK_DIGITS)
_NO_OBJECT = [None]  # the numbers of an element's kids, where it has one that is no object

# A kid as a copy has it; for a mark its page and number, for a link no page and its annotation.
_Content = tuple[bytes, int | None, int]
_DROPPED: _Content = (b"", None, 0)


Kid = bytes | int  # as a copy has it: an element's number in the source, or a mark, or a link


@dataclass(frozen=True)
class BillPages:
    """What the tags of a bill begin with: its pages, and the annotations that its copy keeps."""

    pages: Sequence[int]  # counted from 0 in the source
    annotations: Mapping[int, int]  # kept ones by object: their keys in the parent tree
    gone: Set[int]  # objects of annotations that the copy leaves out


@dataclass
class ChosenElements:
    """A bill's elements: each with its kids as a copy has them."""

    tops: list[int] = field(default_factory=list)
    elements: dict[int, Element] = field(default_factory=dict)
    kids: dict[int, list[Kid]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)  # nothing below them is anybody else's
    marks: list[dict[int, int]] = field(default_factory=list)  # by page: mark to element
    owners: dict[int, int] = field(default_factory=dict)  # annotation to element

    def in_order(self) -> list[int]:
        """Return the elements as a reader goes through them."""
        order: list[int] = []
        waiting = self.tops[::-1]
        while waiting:
            number = waiting.pop()
            order.append(number)
            waiting += [kid for kid in reversed(self.kids[number]) if isinstance(kid, int)]
        return order


def choose(tree: TagTree, bill: BillPages) -> ChosenElements:
    """
    Choose a bill's elements: what its pages' marks and links belong to, and all above these.

    What is above several bills (the document, often a table) stays with the bill's own kids alone,
    and is not whole. Raises UnsupportedPdf for a tree that is none.
    """
    return _Choice(tree, bill).result()


class _Choice:
    def __init__(self, tree: TagTree, bill: BillPages) -> None:
        self._tree = tree
        self._bill = bill
        numbers = [tree.pages.pages[page][0] for page in bill.pages]
        self._places = {number: place for place, number in enumerate(numbers)}
        self._climbed: dict[int, Element] = {}
        self._children: dict[int, list[int]] = {}
        self._direct: set[int] = set()  # they have marks themselves
        self._is_whole: dict[int, bool] = {}
        self._visits = 0
        self._chosen = ChosenElements(marks=[{} for _ in numbers])

    def result(self) -> ChosenElements:
        self._climb()
        root = self._tree.root
        if not self._children.get(root):
            return self._chosen
        self._climbed[root] = self._tree.element(root)
        self._tree.keep(self._climbed[root])
        self._choose_some(self._climbed[root], 0)
        kids = self._chosen.kids.pop(root, [])
        self._chosen.tops = [top for top in kids if isinstance(top, int)]
        self._chosen.elements = {n: self._element(n) for n in self._chosen.kids}
        return self._chosen

    def _climb(self) -> None:
        """Collect the elements that pages and links name, and all above them up to the root."""
        tree = self._tree
        owners = map(tree.element_of_annotation, self._bill.annotations.values())
        starts = [number for page in self._bill.pages for number in tree.elements_of_page(page)]
        starts += [number for number in owners if number is not None]
        self._direct = set(starts)
        for start in dict.fromkeys(starts):
            chain: set[int] = set()
            number = start
            while number != tree.root and number not in self._climbed:
                chain.add(number)
                element = self._climbed[number] = tree.element(number, self._climbed)
                if element.parent is None or len(chain) > DEEPEST:
                    raise UnsupportedPdf("an element that hangs in the air, or too deep")
                self._children.setdefault(element.parent, []).append(number)
                number = element.parent
            if number in chain:
                raise UnsupportedPdf("an element below itself")

    def _element(self, number: int) -> Element:
        return self._climbed.get(number) or self._tree.element(number)

    def _child(self, number: int, parent: Element) -> Element | None:
        """Return the climbed element that a kid is; raises UnsupportedPdf if it says otherwise."""
        child = self._climbed.get(number)
        if child is not None and child.parent != parent.number:
            raise UnsupportedPdf("an element of two parents")
        return child

    def _has_only_own(self, element: Element) -> bool:
        """Say whether all content below an element is the bill's; the first that is not tells."""
        if self._is_lone_mark(element):
            return True
        known = self._is_whole.get(element.number)
        if known is None:
            known = True
            for kid, number in element.numbered_kids():
                if not self._is_own(kid, number, element):
                    known = False
                    break
            self._is_whole[element.number] = known
            if not known:
                self._tree.keep(element)
        return known

    def _is_lone_mark(self, element: Element) -> bool:
        """Say whether all that an element has is one mark of a bill's page, as most have."""
        if element.numbers != _NO_OBJECT or element.page not in self._places:
            return False
        return element.kids[0].isdigit() and len(element.kids[0]) <= _MARK_DIGITS

    def _is_own(self, kid: bytes, number: int | None, element: Element) -> bool:
        if number is not None:
            child = self._child(number, element)
            if child is not None:
                return self._has_only_own(child)
        if self._content(kid, number, element) is not None:
            return True
        return (
            number is not None
            and self._is_empty(number, element.number, 0)
            and self._page_of(number) in (None, *self._places)
        )

    def _page_of(self, number: int) -> int | None:
        return self._tree.element(number).page

    def _choose(self, element: Element, depth: int) -> None:
        if element.number in self._chosen.kids or depth > DEEPEST:
            raise UnsupportedPdf("an element below itself")
        if not self._has_only_own(element):
            self._choose_some(element, depth)
            return
        kids = self._chosen.kids[element.number] = []
        self._chosen.whole.add(element.number)
        if self._is_lone_mark(element):
            (kid,) = element.kids
            kids += self._claimed((kid, element.page, int(kid)), element)
            self._tree.filled.add(element.number)
            return
        for kid, number in element.numbered_kids():
            child = self._child(number, element) if number is not None else None
            if child is not None:
                self._choose(child, depth + 1)
                if child.number in self._chosen.kids:
                    kids.append(child.number)
            elif (content := self._content(kid, number, element)) is not None:
                kids += self._claimed(content, element)
            elif number is not None:
                self._choose_empty(number, depth + 1)
                kids.append(number)
        if element.numbers is not None and not self._tree.filled.isdisjoint(element.numbers):
            self._tree.filled.add(element.number)

    def _choose_some(self, element: Element, depth: int) -> None:
        """Keep the bill's own kids of an element that has others' as well."""
        chosen: dict[int, list[Kid]] = {}
        for number in self._children.get(element.number, ()):
            place = element.place_of(number)
            if place is None:
                raise UnsupportedPdf("an element that its parent does not know")
            self._choose(self._climbed[number], depth + 1)
            if number in self._chosen.kids:
                chosen[place] = [number]
        if element.number in self._direct:
            chosen |= self._own_marks(element, chosen.keys())
        if chosen:
            self._add_empty(element, chosen, depth)
            self._chosen.kids[element.number] = [
                kid for place in sorted(chosen) for kid in chosen[place]
            ]

    def _own_marks(self, element: Element, known: Set[int]) -> dict[int, list[Kid]]:
        if len(element.kids) > _MOST_KIDS:
            raise UnsupportedPdf("an element with too many marks")
        found: dict[int, list[Kid]] = {}
        for place, (kid, number) in enumerate(element.numbered_kids()):
            content = self._content(kid, number, element) if place not in known else None
            if content is not None and (claimed := self._claimed(content, element)):
                found[place] = [*claimed]
        return found

    def _add_empty(self, element: Element, chosen: dict[int, list[Kid]], depth: int) -> None:
        """Add elements without content that stand next to the bill's own and say its page."""
        for start in sorted(chosen):
            for step in (-1, 1):
                place = start + step
                while 0 <= place < len(element.kids) and place not in chosen:
                    number = element.number_at(place)
                    if number is None or not self._is_empty(number, element.number, 0):
                        break
                    if self._page_of(number) in self._places:
                        self._choose_empty(number, depth + 1)
                        chosen[place] = [number]
                    place += step

    def _content(self, kid: bytes, number: int | None, element: Element) -> _Content | None:
        """Return a bill's mark or link, _DROPPED where it has no place, None for all else."""
        if kid.isdigit():
            return self._mark(kid, element.page, kid)
        if not kid.startswith(b"<<"):
            if number is None or number in self._tree.elements_alone:
                return None
            kid = self._tree.source.get(number).body
            if b"/MCR" not in kid and b"/OBJR" not in kid:
                self._tree.elements_alone.add(number)
                return None
        entries = entries_of(kid)
        page = reference_of(entries.get(b"/Pg", b"")) or element.page
        kind = entries.get(b"/Type")
        if kind == b"/MCR" and page is not None:
            mark = entries.get(b"/MCID", b"")
            written = b"<</Type/MCR/Pg %d 0 R/MCID %b>>" % (page, mark)
            found = self._mark(mark, page, written)
            return _DROPPED if found and b"/Stm" in entries else found
        if kind == b"/OBJR":
            target = reference_of(entries.get(b"/Obj", b""))
            if target is not None and target in self._bill.annotations:
                return b"<</Type/OBJR/Obj %d 0 R>>" % target, None, target
            return _DROPPED if target in self._bill.gone or page in self._places else None
        return None

    def _mark(self, mark: bytes, page: int | None, written: bytes) -> _Content | None:
        if page not in self._places:
            return None
        if not _MARK.fullmatch(mark):
            raise UnsupportedPdf("a mark that no page has")
        return written, page, int(mark)

    def _claimed(self, content: _Content, element: Element) -> list[bytes]:
        """Note whose a mark or a link is: the first element that has it keeps it."""
        written, page, number = content
        if not written:
            return []
        owners = self._chosen.owners if page is None else self._chosen.marks[self._places[page]]
        return [written] if owners.setdefault(number, element.number) == element.number else []

    def _is_empty(self, number: int, parent: int, depth: int) -> bool:
        """
        Say whether an element has no content; the first that is found answers.

        What is too deep, or too much to look through, counts as somebody's.
        """
        self._visits += 1
        if self._visits > MOST_VISITS or depth > DEEPEST or number in self._tree.filled:
            return False
        if number in self._climbed or b"/S" not in self._tree.source.get(number).body:
            return False
        element = self._tree.element(number)
        if element.parent != parent or len(element.kids) > _MOST_KIDS:
            return False
        for _, kid in element.numbered_kids():
            if kid is None or not self._is_empty(kid, number, depth + 1):
                if kid is None or kid in self._tree.filled:
                    self._tree.filled.add(number)
                return False
        return True

    def _choose_empty(self, number: int, depth: int) -> None:
        if number in self._chosen.kids or depth > DEEPEST:
            raise UnsupportedPdf("an element below itself")
        element = self._tree.element(number)
        kids = [kid for _, kid in element.numbered_kids() if kid is not None]
        self._chosen.kids[number] = [*kids]
        self._chosen.whole.add(number)
        for kid in kids:
            self._choose_empty(kid, depth + 1)
