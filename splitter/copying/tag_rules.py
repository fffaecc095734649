"""What tags and labels of a copy may hold, by place: for the quick audit and for the full one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from splitter.copying.labels import xmp
from splitter.pdf.syntax import DIGITS_ALIKE, references

if TYPE_CHECKING:  # loaded by the full audit alone
    import pikepdf

_REFERENCE = rb"[0-9]+ 0 R"
_HEX = rb"<[0-9a-f]*+>"
_NAMED = rb"\(h[0-9]+\)"
_LANGUAGE = rb"\([A-Za-z0-9-]+\)"
_KID = (
    rb"(?:[0-9]+(?: 0 R)?+|<</Type/MCR/Pg " + _REFERENCE + rb"/MCID [0-9]+>>|<</Type/OBJR/Obj "
    + _REFERENCE + rb">>)"
)  # fmt: skip
_VALUE = (
    rb"(?: [-+.0-9]++|/[A-Za-z]++|\[[-+.0-9\x00\t\n\x0c\r ]++\]|" + _HEX
    + rb"|\[(?:" + _NAMED + rb")++\])"
)  # fmt: skip
_ATTRIBUTES = (
    rb"<</O/(?:Table|List|Layout|PrintField)(?:/(?:RowSpan|ColSpan|Scope|Headers|Summary"
    rb"|ListNumbering|Placement|WritingMode|BBox|Width|Height|Role|[Cc]hecked|Desc)"
    + _VALUE + rb")++>>"
)  # fmt: skip
_ELEMENT = re.compile(
    rb"<</Type/StructElem/S/[A-Za-z0-9]++/P (" + _REFERENCE + rb")(?:/Pg " + _REFERENCE + rb")?+"
    rb"(?:/K(?: " + _KID + rb"|\[" + _KID + rb"(?: " + _KID + rb")*+\]))?+"
    rb"(?:/Lang" + _LANGUAGE + rb")?+(?:/(?:Alt|ActualText|E|T)" + _HEX + rb")*+"
    rb"(?:/ID" + _NAMED + rb")?+(?:/A\[(?:" + _ATTRIBUTES + rb")++\])?+>>"
)  # fmt: skip
_ROW = rb"[0-9]+(?:\[(?:(?:" + _REFERENCE + rb"|null) ?+)*+\]| " + _REFERENCE + rb") ?+"
_ROOT = re.compile(
    rb"<</Type/StructTreeRoot/K\[" + _REFERENCE + rb"(?: " + _REFERENCE + rb")*+\]"
    rb"/ParentTree<</Nums\[(?:" + _ROW + rb")*+\]>>/ParentTreeNextKey [0-9]+"
    rb"(?:/IDTree<</Names\[(?:" + _NAMED + rb" " + _REFERENCE + rb" ?+)++\]>>)?+>>"
)  # fmt: skip
_NAMES = re.compile(rb"(/Pg |/Obj )?([0-9]+) 0 R")
_LONGEST_ALIKE, _MOST_KNOWN = 512, 4096  # bytes of an element; ways in which they are written

# What stands at the end of objects that have more to do than to hold tags or labels.
_CATALOG_END = re.compile(
    rb"(?:/MarkInfo<</Marked true(?:/Suspects true)?+>>/StructTreeRoot (?P<root>[0-9]+) 0 R)?+"
    rb"(?:/Lang" + _LANGUAGE + rb")?+"
    rb"(?:/ViewerPreferences<</DisplayDocTitle true>>/Metadata (?P<metadata>[0-9]+) 0 R)?+>>\Z"
)  # fmt: skip
_PAGE_END = re.compile(rb"\n/StructParents [0-9]+/Tabs/S>>\Z")
_LINK_END = re.compile(rb"(?:/Contents" + _HEX + rb")?+(?:/StructParent [0-9]+)?+>>\Z")
_LINK_BEGIN = b"<</Type /Annot /Subtype /Link "
_TITLE = re.compile(rb"<</Title<([0-9a-f]*+)>>>")
_METADATA = re.compile(rb"<</Type/Metadata/Subtype/XML/Length [0-9]+>>")


@dataclass
class TagsSeen:
    """What the quick audit has seen of a copy's tags."""

    elements: dict[int, int] = field(default_factory=dict)  # with the number each is below
    roots: list[int] = field(default_factory=list)
    pages: set[int] = field(default_factory=set)  # that elements name
    links: set[int] = field(default_factory=set)

    def take(self, number: int, body: bytes) -> Sequence[int] | None:
        """
        Take an element, or the root of all, as our own writer has them, and return what it names.

        None for any other object. Elements that differ in digits alone are looked through once.
        """
        written = _way_of(body) or _element(body)
        if written is None:
            if _ROOT.fullmatch(body) is None:
                return None
            self.roots.append(number)
            return references(body)
        named = [int(body[start:end]) for start, end in written.spans]
        self.elements[number] = named[0]
        self.pages.update([named[at] for at in written.pages])
        self.links.update([named[at] for at in written.links])
        return named

    def are_sound(self, root: int | None, pages: Set[int], links: Set[int]) -> bool:
        """Say whether all hangs on the catalog's root and names nothing but pages and links."""
        if root is None:
            return not self.elements and not self.roots
        above = {root, *self.elements}
        return (
            self.roots == [root]
            and above.issuperset(self.elements.values())
            and self.pages <= pages
            and self.links <= links
        )


@dataclass(frozen=True, slots=True)
class _WrittenElement:
    """
    Where the numbers of all objects stand that an element refers to: of the one above it first.

    `pages` and `links` are places among them.
    """

    spans: Sequence[tuple[int, int]]
    pages: Sequence[int]
    links: Sequence[int]


def _way_of(body: bytes) -> _WrittenElement | None:
    """
    Return how an element is written, by another one with the same signs but for digits.

    It matters in one place which digit stands there: the second number of a reference must be 0.
    So these are counted. None says nothing of the element.
    """
    if len(body) > _LONGEST_ALIKE:
        return None
    written = _element_alike(body.translate(DIGITS_ALIKE))
    is_it = written is not None and body.count(b" 0 R") == len(written.spans)
    return written if is_it else None


def _element(body: bytes) -> _WrittenElement | None:
    """Return how an object is written that is an element as our own writer has them, or None."""
    if _ELEMENT.fullmatch(body) is None:
        return None
    found = list(_NAMES.finditer(body))
    return _WrittenElement(
        [match.span(2) for match in found],
        [at for at, match in enumerate(found) if match[1] == b"/Pg "],
        [at for at, match in enumerate(found) if match[1] == b"/Obj "],
    )


_element_alike = lru_cache(maxsize=_MOST_KNOWN)(_element)


def without_catalog_end(body: bytes) -> tuple[bytes, int | None, int | None]:
    """Return a catalog without tags and labels, and the numbers of their root and of the XMP."""
    match = _CATALOG_END.search(body)
    if match is None:
        return body, None, None
    root, metadata = match["root"], match["metadata"]
    return (
        body[: match.start()] + b">>",
        int(root) if root else None,
        int(metadata) if metadata else None,
    )


def without_tag_keys(body: bytes) -> bytes:
    """Return a page or a link without the keys that lead to its tags."""
    if body.startswith(_LINK_BEGIN):
        return _LINK_END.sub(b">>", body, count=1)
    is_page = body.startswith(b"<</Type/Page/") and body.endswith(b"/Tabs/S>>")
    return _PAGE_END.sub(b">>", body) if is_page else body


def is_link(body: bytes) -> bool:
    return body.startswith(_LINK_BEGIN)


@lru_cache(maxsize=64)
def are_labels(information: bytes, metadata: bytes, stream: bytes) -> bool:
    """Say whether a title and the XMP beside it are ours, and the same."""
    match = _TITLE.fullmatch(information)
    if match is None or not _METADATA.fullmatch(metadata):
        return False
    return stream == xmp(bytes.fromhex(match[1].decode()).decode("utf-16", "replace"))


_OUR_NAME = re.compile("h[0-9]+")
_OF_TAGS = frozenset({"/Type", "/S", "/P", "/Pg", "/K", "/Lang", "/Alt", "/ActualText", "/E", "/T",
                      "/ID", "/A"})  # fmt: skip
_OF_REFERENCES = {"/MCR": {"/Type", "/Pg", "/MCID"}, "/OBJR": {"/Type", "/Obj"}}
_OF_ROOT = {"/Type", "/K", "/ParentTree", "/ParentTreeNextKey", "/IDTree"}


def allowed_here(document: pikepdf.Pdf, value: Any, key: str) -> Set[str]:
    """Return the keys that this object may have and others must not."""
    if key == "":
        return {"/Info"}
    if value.get("/Type") == "/Catalog" and value.objgen == document.Root.objgen:
        return {"/StructTreeRoot", "/Metadata"}
    if value.get("/Type") == "/Page":
        return {"/StructParents"}
    if key == "/IDTree" and _are_our_names(value.get("/Names", ())):
        return {"/Names"}
    return {"/StructParent"} if value.get("/Type") == "/Annot" else set()


def _are_our_names(names: Any) -> bool:
    return all(_OUR_NAME.fullmatch(str(name)) for name in list(names)[::2])


def tag_findings(document: pikepdf.Pdf) -> Iterator[str]:
    """Return what is wrong with the tags and labels of a copy."""
    yield from _label_findings(document)
    root = document.Root.get("/StructTreeRoot")
    if root is None:
        tagged = any("/StructParents" in page.obj for page in document.pages)
        if tagged or "/MarkInfo" in document.Root:
            yield "says that it is tagged, and has no tags"
        return
    if set(root.keys()) - _OF_ROOT:
        yield "holds tags that are more than a tree"
    pages = {page.obj.objgen: place for place, page in enumerate(document.pages)}
    marks: dict[int, set[int]] = {}
    for element in _elements(root):
        yield from _element_findings(element, pages, marks)
    for page in document.pages:
        if not marks.get(pages[page.obj.objgen], set()) <= _marks_in(page):
            yield "has tags of something that its pages do not show"


def _label_findings(document: pikepdf.Pdf) -> Iterator[str]:
    information, metadata = document.trailer.get("/Info"), document.Root.get("/Metadata")
    if information is None and metadata is None:
        return
    title = information.get("/Title") if information is not None else None
    is_ours = (
        title is not None
        and metadata is not None
        and set(information.keys()) == {"/Title"}
        and metadata.read_bytes() == xmp(str(title))
    )
    if not is_ours:
        yield "holds a title that is not ours"


def _elements(root: Any) -> Iterator[Any]:
    import pikepdf

    waiting = [(kid, root) for kid in _listed(root.get("/K"))]
    seen: set[tuple[int, int]] = set()
    while waiting:
        element, _ = waiting.pop()
        if element.objgen in seen:
            continue
        seen.add(element.objgen)
        yield element
        for kid in _listed(element.get("/K")):
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                waiting.append((kid, element))


def _element_findings(
    element: Any, pages: Mapping[tuple[int, int], int], marks: dict[int, set[int]]
) -> Iterator[str]:
    import pikepdf

    if set(element.keys()) - _OF_TAGS:
        yield "holds a tag that says more than it may"
    own = element.get("/Pg")
    if own is not None and own.objgen not in pages:
        yield "holds a tag of another page"
    for kid in _listed(element.get("/K")):
        if not isinstance(kid, pikepdf.Dictionary):
            page, mark = own, int(kid)
        elif "/S" in kid:
            continue
        else:
            if set(kid.keys()) != _OF_REFERENCES.get(str(kid.get("/Type")), set()):
                yield "holds a tag that says more than it may"
                continue
            if "/Obj" in kid:
                continue
            page, mark = kid["/Pg"], int(kid["/MCID"])
        if page is None or page.objgen not in pages:
            yield "holds a tag of another page"
        else:
            marks.setdefault(pages[page.objgen], set()).add(mark)


def _listed(value: Any) -> list[Any]:
    import pikepdf

    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _marks_in(page: pikepdf.Page) -> set[int]:
    import pikepdf

    found: set[int] = set()
    properties = page.obj.get("/Resources", {}).get("/Properties", {})
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) != "BDC":
            continue
        told = operands[1]
        told = properties.get(str(told)) if isinstance(told, pikepdf.Name) else told
        if told is not None and "/MCID" in told:
            found.add(int(told["/MCID"]))
    return found
