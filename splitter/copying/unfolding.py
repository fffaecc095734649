"""Files attached to a portfolio, put one behind the other into one PDF with a bookmark each."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.failures import Refused
from splitter.copying.copier import BillCopier
from splitter.copying.writing import Document
from splitter.pdf.attachments import BrokenAttachment, EmbeddedFile, attachments_of, content_of
from splitter.pdf.objects import RawObject
from splitter.pdf.opening import open_source
from splitter.pdf.pages import PageTree
from splitter.pdf.syntax import dictionary, items, references, renumbered, to_dictionary
from splitter.tags.gathering import GatheredTags

COVER = ""  # the bookmark of a portfolio's own pages
PAGES_BEFORE = "pages before the attached files"  # of a file that is no portfolio
_LONGEST_NAME = 300  # signs
_LEAST_BYTES, _MOST_TIMES = 64_000_000, 200  # what all may unpack to: as much, or times the file
_HEADING = b"%PDF-"

Progress = Callable[[int], None]


@dataclass(slots=True)
class _Layers:
    """The layers of all attached files, each as visible as in its own file."""

    groups: list[bytes] = field(default_factory=list)
    hidden: list[bytes] = field(default_factory=list)
    automatic: list[bytes] = field(default_factory=list)

    def add(self, properties: bytes) -> None:
        """Take in the layers of one file, by their numbers in the new one."""
        if not properties:
            return
        entries = dictionary(properties.removeprefix(b"/OCProperties"))
        default = dictionary(entries.get(b"/D", b"<<>>"))
        groups = references(entries.get(b"/OCGs", b"[]"))
        hidden = set(references(default.get(b"/OFF", b"[]")))
        if default.get(b"/BaseState", b"/ON") == b"/OFF":
            hidden = set(groups) - set(references(default.get(b"/ON", b"[]")))
        self.groups += [b"%d 0 R" % number for number in groups]
        self.hidden += [b"%d 0 R" % number for number in groups if number in hidden]
        self.automatic += items(default.get(b"/AS", b"[]"))

    def properties(self) -> bytes:
        """Return what a catalog says of them; nothing where there are none."""
        if not self.groups:
            return b""
        default = {b"/OFF": b"[" + b" ".join(self.hidden) + b"]"}
        if self.automatic:
            default[b"/AS"] = b"[" + b" ".join(self.automatic) + b"]"
        groups = b"[" + b" ".join(self.groups) + b"]"
        return b"/OCProperties<</OCGs" + groups + b"/D" + to_dictionary(default) + b">>"


def unfold(
    path: Path, name: str, write: Callable[[bytes], object], *, folder: Path, progress: Progress
) -> None:
    """
    Write one PDF of all files attached to another, behind that one's own pages.

    Each file has a bookmark, whose title is its name and, on a second line, its description. Only
    what is on the pages is taken over, as for a bill, and a tagged file's tags. Memory holds one
    file at a time, and so does `folder`, in one of its own. Raises Refused (pdf-unreadable), which
    calls the PDF by `name`, with the number of an attached file that is no sound PDF of its own.
    """
    document, layers, tags = Document(write, _nothing), _Layers(), GatheredTags()
    with _called(path, name):
        _, tree = open_source(path, is_portfolio=True)
        try:
            attached = attachments_of(tree)
        except BrokenAttachment as failure:
            raise Refused("pdf-unreadable", f"Of {name} {failure}; {_AGAIN}.") from None
        if not attached:
            raise Refused("pdf-unreadable", f"{name} has no attached files; {_AGAIN}.")
        copier = BillCopier(tree.source, tree)
        is_portfolio = b"/Collection" in tree.source.dictionary(b"%d 0 R" % tree.source.root)
        begins = [(COVER if is_portfolio else PAGES_BEFORE, 0)]
        layers.add(document.renumbered(copier.add_to(document, range(copier.pages))))
    for file, where, title in _unpacked(tree, name, attached, folder):
        with _called(file, where):
            bill = BillCopier.open(file)
            begins.append((title, len(document.page_numbers)))
            layers.add(document.renumbered(bill.add_to(document, range(bill.pages), tags)))
        progress(1)
    _finish(document, begins, layers, tags)


_AGAIN = "please export it again"


def _nothing(_number: int) -> tuple[RawObject, list[int]]:
    return RawObject(b"null"), []


def _unpacked(
    tree: PageTree, name: str, attached: Sequence[EmbeddedFile], folder: Path
) -> Iterator[tuple[Path, str, str]]:
    """
    Yield where each attached file is put on disk, how it is called, and its bookmark.

    It is gone from there when it was used.
    """
    most = max(_LEAST_BYTES, _MOST_TIMES * tree.source.path.stat().st_size)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as own:  # 0700
        for number, attachment in enumerate(attached, start=1):
            where = f"The attached file {number:,} of {name}"
            try:
                with _called(tree.source.path, name):
                    content = content_of(tree, attachment)
            except BrokenAttachment as failure:
                raise Refused("pdf-unreadable", f"{where} {failure}; {_AGAIN}.") from None
            most -= len(content)
            if most < 0:
                why = "and those before it unpack to very much more than a file of bills"
                raise Refused("pdf-unreadable", f"{where} {why}; {_AGAIN}.")
            if not content.startswith(_HEADING):
                why = "is no PDF; please attach the bills alone"
                raise Refused("pdf-unreadable", f"{where} {why}.")
            file = Path(own) / f"{number}.pdf"
            file.write_bytes(content)
            yield file, where, _title_of(attachment)
            file.unlink()


@contextlib.contextmanager
def _called(file: Path, shown: str) -> Iterator[None]:
    """Let a refusal call a file as the user knows it: those put on disk here nobody has seen."""
    try:
        yield
    except Refused as refusal:
        if not refusal.message.startswith(f"{file.name} "):
            raise
        told = refusal.message.removeprefix(f"{file.name} ")
        raise Refused(refusal.code, f"{shown} {told}") from None


def _title_of(attachment: EmbeddedFile) -> str:
    lines = (attachment.name, attachment.description)
    return "\n".join(_printable(line)[:_LONGEST_NAME] for line in lines if line.strip()) or "-"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _finish(
    document: Document, begins: Sequence[tuple[str, int]], layers: _Layers, tags: GatheredTags
) -> None:
    """Write the bookmarks as objects of a source of their own, and the end of the file."""
    root, first = 1, 2  # numbers in that source; behind the bookmarks come the pages
    first_page = first + len(begins)

    def bookmark(number: int) -> tuple[RawObject, list[int]]:
        if number == root:
            ends = (first, first_page - 1, len(begins))
            return RawObject(b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % ends), []
        at = number - first
        title = ("\ufeff" + begins[at][0]).encode("utf-16-be", "replace").hex().encode()
        before = b"/Prev %d 0 R" % (number - 1) if at else b""
        behind = b"/Next %d 0 R" % (number + 1) if number + 1 < first_page else b""
        leads = b"/Dest[%d 0 R/Fit]" % (first_page + at)
        return RawObject(
            b"<</Title<%b>/Parent %d 0 R%b%b%b>>" % (title, root, before, behind, leads)
        ), []

    kids = document.page_numbers
    known = {first_page + at: kids[page] for at, (_, page) in enumerate(begins)}
    if tags.root:
        document.add_own(tags.body(), tags.root)
    entries = layers.properties() + tags.catalog()
    places = {number: first_page + len(begins) + number for number in references(entries)}
    known |= {place: number for number, place in places.items()}
    document.turn_to(bookmark, known)
    document.finish(renumbered(entries, places.__getitem__) + b"/Outlines %d 0 R" % root)
