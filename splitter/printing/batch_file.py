"""One print batch: a PDF in the order of the post, and a CSV that tells a mail house about it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from domain.failures import Refused
from splitter.copying.copier import BillCopier
from splitter.copying.writing import Document
from splitter.pdf.objects import RawObject
from splitter.pdf.pages import units_of_tree
from splitter.pdf.syntax import UnsupportedPdf, items, reference, to_dictionary
from splitter.printing import marks
from splitter.printing.envelopes import Envelope, PaperBill, envelopes_of, zip_parts
from splitter.printing.pictures import pages_in_the_way, write_pictures
from splitter.printing.terms import USUAL_TERMS, PrintTerms
from splitter.store.bill_store import BillStore

HEADINGS = (
    *("sequence", "account", "zip", "first_page", "pages", "sha256"),
    *("zip5", "plus4", "sheets", "blank_pages", "envelope", "of_envelopes", "envelope_sheets"),
    *("weight_ounces", "envelope_kind", "stock", "marked"),
)
_PROOFS = ("first", "last")
_BESIDE = (".csv", *(f"-{name}.png" for name in _PROOFS))
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Pages in the order of the mail lie anywhere in the file, and the system maps each's neighbours.
LET_GO_AFTER = 256
_BEGIN, _MARK = 1 << 40, 1 << 41  # numbers that no object of a source has


@dataclass(frozen=True, slots=True)
class PrintBatch:
    """
    What was written: two paths in the bill store, and how much is in them.

    `pages` are the bills' own, without empty backs. `unmarked` sheets have no mark, because
    something else stands where it would. `files` are all its paths, in the order in which they get
    their names: where the PDF is, everything is.
    """

    path: str
    manifest_path: str
    bills: int
    pages: int
    sha256: str
    sheets: int = 0
    envelopes: int = 0
    unmarked: int = 0
    manifest_sha256: str = ""
    files: tuple[str, ...] = ()

    def give_names(self, store: BillStore) -> None:
        """Let the files be found; done again after a kill it goes on."""
        for file in self.files:
            store.give_name(file)


def write_print_batch(
    source: Path,
    paper_bills: Sequence[PaperBill],
    store: BillStore,
    *,
    path: str,
    terms: PrintTerms = USUAL_TERMS,
) -> PrintBatch:
    """
    Write the paper bills of one bulk file, sorted by ZIP code, and a CSV beside them.

    Returns when all of it is there under its own names.
    """
    batch = make_print_batch(source, paper_bills, store, path=path, terms=terms)
    batch.give_names(store)
    return batch


def make_print_batch(
    source: Path,
    paper_bills: Sequence[PaperBill],
    store: BillStore,
    *,
    path: str,
    terms: PrintTerms = USUAL_TERMS,
) -> PrintBatch:
    """
    Make a print batch whose files nobody finds before they are given their names.

    The post wants presorted mail; the manifest (`NAME.csv` for `NAME.pdf`) lets a single bill be
    found and printed again: `first_page` counts from 1 in the batch, empty backs included, `sha256`
    is that of the bill's own document. The same bills give the same bytes.
    """
    envelopes = envelopes_of(paper_bills, terms)
    printing = _Printing(source, envelopes, terms)
    with store.open_unfinished(path) as file:
        pages = _Hashed(file)
        printing.write(pages.write)
    in_the_way = printing.in_the_way
    del printing  # which knows every page of the bulk file

    stem = path.removesuffix(".pdf")
    beside = [f"{stem}.csv"]
    with store.open_unfinished(beside[0]) as file:
        manifest = _Hashed(file)
        for line in _manifest(envelopes, terms, in_the_way):
            manifest.write(line)
    for name, picture in _proofs(source, envelopes) if terms.proof else ():
        beside.append(f"{stem}-{name}.png")
        with store.open_unfinished(beside[-1]) as file:
            file.write(picture)
    return PrintBatch(
        path,
        f"{stem}.csv",
        len(paper_bills),
        sum(paper.bill.pages for paper in paper_bills),
        pages.sha256,
        sum(envelope.sheets for envelope in envelopes),
        len(envelopes),
        len(in_the_way),
        manifest.sha256,
        (*beside, path),
    )


def discard_unfinished(store: BillStore, path: str) -> None:
    """Remove what a process that was ended left of a print batch that nobody wants any more."""
    for name in files_of(path):
        store.discard_unfinished(name)


def files_of(path: str) -> tuple[str, ...]:
    """Return all paths that a print batch may have: its PDF, list and pictures."""
    return (path, *(f"{path.removesuffix('.pdf')}{end}" for end in _BESIDE))


class _Hashed:
    """A file with its hash, taken on the way: a city's batch is too big to be read again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._file.write(piece)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Printing:
    """A batch on its way into its file: pages, empty backs, and marks where there is room."""

    def __init__(self, source: Path, envelopes: Sequence[Envelope], terms: PrintTerms) -> None:
        self._copier = BillCopier.open(source)
        self._envelopes = envelopes
        self._terms = terms
        self._drawn: dict[int, bytes] = {}
        self.in_the_way: frozenset[int] = frozenset()  # pages without room for a mark
        if terms.mark_at is not None:
            fronts = [page for e in envelopes for p in e.bills for page in _fronts(p, terms)]
            region = marks.region_of_mark(terms.mark_at)
            unit = units_of_tree(self._copier.tree)
            in_the_way = pages_in_the_way(source, fronts, [*map(unit, fronts)], region)
            self.in_the_way = in_the_way | {page for page in fronts if not self._ends_well(page)}

    def write(self, write: Callable[[bytes], object]) -> None:
        document, source = Document(write, self._get), self._copier.tree.source
        source.let_go()  # whoever looked for room for marks has read the whole file
        for envelope in self._envelopes:
            sheet = 0
            for paper in envelope.bills:
                fronts = _fronts(paper, self._terms)
                source.let_go_after(LET_GO_AFTER, paper.bill.pages)
                attributes = b""
                for page in paper.bill.page_numbers:
                    sheet += page in fronts
                    attributes = self._copier.attributes_of(page)
                    if page in fronts and self._terms.mark_at and page not in self.in_the_way:
                        attributes = self._marked(attributes, envelope, sheet)
                    document.add_page(attributes)
                for _ in range(self._terms.blanks_of(paper.bill.pages)):
                    document.add_page(_empty_back(attributes))
        document.finish(self._copier.layers_of(document))
        source.let_go()

    def _get(self, number: int) -> tuple[RawObject, list[int]]:
        if number < _BEGIN:
            return self._copier.clean_objects(number)
        content = b"q\n" if number == _BEGIN else self._drawn.pop(number)
        return RawObject(b"<</Length %d>>" % len(content), content), []

    def _marked(self, attributes: bytes, envelope: Envelope, sheet: int) -> bytes:
        """Return a page's attributes with the mark drawn behind all that the page draws."""
        assert self._terms.mark_at is not None
        entries = marks.inside(attributes)
        frame = marks.frame_of(self._copier.tree.source, entries)
        text = marks.text_of_mark(envelope.number, len(self._envelopes), sheet, envelope.sheets)
        number = _MARK + (envelope.number << 20) + sheet
        self._drawn[number] = b"\nQ\n" + marks.strokes(text, self._terms.mark_at, frame)
        contents = self._contents(entries.get(b"/Contents", b"[]"))
        parts = [b"%d 0 R" % _BEGIN, *contents, b"%d 0 R" % number]
        entries[b"/Contents"] = b"[" + b" ".join(parts) + b"]"
        return to_dictionary(entries).removeprefix(b"<<").removesuffix(b">>")

    def _ends_well(self, page: int) -> bool:
        """Say whether what is drawn behind a page's own content stands where it should."""
        entries = marks.inside(self._copier.attributes_of(page))
        source = self._copier.tree.source
        try:
            numbers = map(reference, self._contents(entries.get(b"/Contents", b"[]")))
            content = b"\n".join(source.decoded(one) for one in numbers if one is not None)
        except (UnsupportedPdf, Refused):
            return False
        return marks.leaves_things_as_they_were(content)

    def _contents(self, raw: bytes) -> list[bytes]:
        if raw.startswith(b"["):
            return items(raw)
        number = reference(raw)
        found = None if number is None else self._copier.clean_objects(number)[0]
        if found is not None and found.stream is None:
            return items(found.body) if found.body.startswith(b"[") else []
        return [raw]


def _fronts(paper: PaperBill, terms: PrintTerms) -> range:
    """Return the pages of a bill that come on the front of a sheet."""
    numbers = paper.bill.page_numbers
    return numbers[::2] if terms.duplex else numbers


def _empty_back(attributes: bytes) -> bytes:
    """Return a page of the size of another with nothing on it."""
    entries = marks.inside(attributes)
    kept = (b"/MediaBox", b"/CropBox", b"/Rotate", b"/UserUnit")
    sizes = {key: entries[key] for key in kept if key in entries}
    empty = to_dictionary(sizes | {b"/Resources": b"<<>>"})
    return empty.removeprefix(b"<<").removesuffix(b">>")


def _manifest(
    envelopes: Sequence[Envelope], terms: PrintTerms, in_the_way: Collection[int]
) -> Iterator[bytes]:
    """Write the list of a batch line by line."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(HEADINGS)
    yield _taken(written)
    first_page = sequence = 1
    for envelope in envelopes:
        for paper in envelope.bills:
            bill = paper.bill
            blanks = terms.blanks_of(bill.pages)
            is_marked = terms.mark_at is not None and _without_room(paper, terms, in_the_way) == 0
            table.writerow(
                [
                    sequence, _cell(bill.account), _cell(paper.zip), first_page, bill.pages,
                    bill.sha256, *zip_parts(paper.zip), terms.sheets_of(bill.pages), blanks,
                    envelope.number, len(envelopes), envelope.sheets, envelope.ounces(terms),
                    envelope.kind(terms), _cell(terms.stocks.get(bill.form, "")),
                    "yes" if is_marked else "no",
                ]
            )  # fmt: skip
            first_page += bill.pages + blanks
            sequence += 1
            yield _taken(written)


def _taken(written: io.StringIO) -> bytes:
    """Take out what was written."""
    line = written.getvalue().encode("utf-8")
    written.seek(0)
    written.truncate()
    return line


def _without_room(paper: PaperBill, terms: PrintTerms, pages: Collection[int]) -> int:
    """Count the sheets of a bill on which there is no room for a mark."""
    return sum(page in pages for page in _fronts(paper, terms))


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes as text: a formula could send the list elsewhere."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def _proofs(source: Path, envelopes: Sequence[Envelope]) -> Iterator[tuple[str, bytes]]:
    """Draw the first pages of the first and the last bill, for somebody to look at."""
    chosen = [envelopes[0].bills[0], envelopes[-1].bills[-1]] if envelopes else []
    pages = [paper.bill.first_page for paper in chosen]
    yield from zip(_PROOFS, write_pictures(source, pages), strict=False)
