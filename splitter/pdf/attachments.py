"""The files that are attached to a PDF: of a portfolio each is somebody's bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.failures import Refused
from splitter.pdf.bookmarks import text_of
from splitter.pdf.destinations import BrokenTree, names_in
from splitter.pdf.objects import Damaged
from splitter.pdf.pages import PageTree
from splitter.pdf.syntax import UnsupportedPdf, items, reference


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """An attached file: what it is called, and the object that holds it. No name is a path."""

    name: str
    description: str
    content: int


class BrokenAttachment(Exception):
    """An attached file cannot be taken out; the message says what is wrong."""


def attachments_of(tree: PageTree) -> list[EmbeddedFile]:
    """
    Return the files attached to a document as a whole, each once; raises BrokenAttachment.

    Both lists are read: the tree of embedded files in its order, then what the catalog calls
    associated. What only an annotation of a page holds is none of them.
    """
    found: dict[int, EmbeddedFile] = {}
    try:
        for count, raw in enumerate(_specifications(tree), start=1):
            attachment = _attachment(tree, raw, count)
            found.setdefault(attachment.content, attachment)
    except BrokenTree as failure:
        raise BrokenAttachment(f"the list of its attached files is broken: {failure}") from None
    except (UnsupportedPdf, Refused, ValueError):
        raise BrokenAttachment("the list of its attached files is damaged") from None
    return list(found.values())


def _specifications(tree: PageTree) -> Iterator[bytes]:
    source = tree.source
    catalog = source.dictionary(b"%d 0 R" % source.root)
    names = source.dictionary(catalog.get(b"/Names", b"<<>>"))
    if b"/EmbeddedFiles" in names:
        for _, raw in names_in(tree, names[b"/EmbeddedFiles"]):
            yield raw
    if b"/AF" in catalog:
        yield from items(source.value(catalog[b"/AF"]))


def _attachment(tree: PageTree, raw: bytes, count: int) -> EmbeddedFile:
    source = tree.source
    entries = source.dictionary(raw)
    files = source.dictionary(entries.get(b"/EF", b"<<>>"))
    content = {reference(files[key]) for key in (b"/F", b"/UF") if key in files}
    if len(content) != 1 or None in content:
        raise BrokenAttachment(f"attached file {count} has no content, or two")
    name = text_of(source, entries, b"/UF") or text_of(source, entries, b"/F")
    number = content.pop()
    assert number is not None
    return EmbeddedFile(name, text_of(source, entries, b"/Desc"), number)


def content_of(tree: PageTree, attachment: EmbeddedFile) -> bytes:
    """Return an attached file; raises BrokenAttachment for what is damaged or unpacks to much."""
    try:
        if tree.source.get(attachment.content).stream is None:
            raise BrokenAttachment("has no content")
        return tree.source.decoded(attachment.content)
    except Damaged:
        raise BrokenAttachment("is damaged") from None
    except (UnsupportedPdf, Refused):
        raise BrokenAttachment("cannot be unpacked, or is too large for a bill") from None
