"""The marks in a page's content: what a structure tree must know, if it is to be whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from splitter.copying.sanitizing import Pruner
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import UnsupportedPdf, dictionary, plain, reference, references

_SPACE = rb"[\x00\t\n\x0c\r ]"
_FLAT = rb"[^<>()]|<[^<>]*+>|\((?:[^()\\]|\\.)*+\)"
_INSIDE = rb"(?:" + _FLAT + rb"|<<(?:" + _FLAT + rb")*+>>)*+"
_INLINE = re.compile(
    rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)" + _SPACE + rb"*+<<(" + _INSIDE + rb")>>"
    + _SPACE + rb"*+BDC\b",
    re.DOTALL,
)  # fmt: skip
_NAMED = re.compile(
    rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)" + _SPACE + rb"*+/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)"
    + _SPACE + rb"++BDC\b"
)  # fmt: skip
_MARK = re.compile(rb"/MCID" + _SPACE + rb"*+([0-9]{1,9})")
_ARTIFACT = b"Artifact"
_MOST_FORMS = 4096
_DEEPEST_FORM = 16
NOT_READ = -1  # a mark that no tree has


@dataclass(slots=True)
class Marks:
    """
    The marks in a page's content; what is an artifact is nobody's to read.

    NOT_READ is among those to read where a form has marks of its own, or a mark cannot be read.
    """

    to_read: set[int] = field(default_factory=set)
    of_artifacts: set[int] = field(default_factory=set)

    def are_all_of(self, tree: Set[int]) -> bool:
        """Say whether a tree has all that is to be read on the page, and nothing it lacks."""
        return self.to_read <= tree <= self.to_read | self.of_artifacts

    def add(self, kind: bytes, marks: Set[int]) -> None:
        """Add the marks of a piece of content: /Artifact, or the kind of an element."""
        some = self.of_artifacts if kind == _ARTIFACT else self.to_read
        some |= marks


class PageMarks:
    """Finds what of a page's content is marked."""

    def __init__(self, source: SourceFile, pruner: Pruner) -> None:
        self._source = source
        self._pruner = pruner
        self._forms: dict[int, bool] = {}

    def of(self, contents: bytes, kept_resources: bytes) -> Marks:
        """Return the marks of a page, given its /Contents and the resources it has in a copy."""
        resources = dictionary(kept_resources)
        found = Marks()
        for number in self._pruner.content_of_page(contents):
            self._add_content(found, self._source.decoded(number), resources)
        if self._has_marked_form(resources, 0):
            found.to_read.add(NOT_READ)
        return found

    def _add_content(self, found: Marks, content: bytes, resources: Mapping[bytes, bytes]) -> None:
        read = 0
        for match in _INLINE.finditer(content):
            marks = _MARK.findall(match[2])
            read += len(marks)
            found.add(match[1], set(map(int, marks)))
        if read != content.count(b"/MCID"):
            found.to_read.add(NOT_READ)
        for kind, name in _NAMED.findall(content):
            found.add(kind, self._named(name, resources))

    def _named(self, name: bytes, resources: Mapping[bytes, bytes]) -> set[int]:
        """Return the mark of a property list that stands in the page's resources."""
        properties = self._source.dictionary(resources.get(b"/Properties", b"<<>>"))
        by_name = {plain(key[1:]): value for key, value in properties.items()}
        raw = self._source.value(by_name.get(plain(name), b"null"))
        mark = dictionary(raw).get(b"/MCID") if raw.startswith(b"<<") else None
        return {int(mark) if mark.isdigit() else NOT_READ} if mark is not None else set()

    def _has_marked_form(self, resources: Mapping[bytes, bytes], depth: int) -> bool:
        """Say whether a form may draw marks: they are in the tree under a key of their own."""
        if depth > _DEEPEST_FORM:
            raise UnsupportedPdf("forms in forms")
        drawn = self._source.dictionary(resources.get(b"/XObject", b"<<>>"))
        return any(self._is_marked_form(number, depth) for number in map(reference, drawn.values()))

    def _is_marked_form(self, number: int | None, depth: int) -> bool:
        if number is None:
            return False
        known = self._forms.get(number)
        if known is None:
            body = self._source.get(number).body
            known = b"/Form" in body and self._reads_as_marked(number, body, depth)
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            self._forms[number] = known
        return known

    def _reads_as_marked(self, number: int, body: bytes, depth: int) -> bool:
        if b"/MCID" in self._source.decoded(number):
            return True
        resources = dictionary(body).get(b"/Resources")
        if resources is None or not references(body):
            return False
        return self._has_marked_form(self._source.dictionary(resources), depth + 1)
