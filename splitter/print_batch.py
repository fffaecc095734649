"""The print batch: the paper bills in one PDF in the order of the post, with its manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.accounts import account_key
from splitter.copying import BillCopier
from splitter.filing import BillStore
from splitter.filing_bills import FiledBill

HEADINGS = ("sequence", "account", "zip", "first_page", "pages", "sha256")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class PaperBill:
    """A bill that goes by post, and the ZIP code it goes to."""

    bill: FiledBill
    zip: str


@dataclass(frozen=True, slots=True)
class PrintBatch:
    """What was written: two paths in the bill store, and how much is in them."""

    path: str
    manifest_path: str
    bills: int
    pages: int
    sha256: str


def write_print_batch(
    source: Path, paper_bills: Sequence[PaperBill], store: BillStore, *, path: str
) -> PrintBatch:
    """
    Write the paper bills of one bulk file, sorted by ZIP code, and a CSV beside them.

    The post wants presorted mail; the manifest (`NAME.csv` for `NAME.pdf`) lets a single bill be
    found and printed again: `first_page` counts from 1 in the batch, `sha256` is that of the
    bill's own document. The same bills give the same bytes.
    """
    ordered = sorted(paper_bills, key=post_order)
    copier = BillCopier.open(source)
    digest = hashlib.sha256()  # taken on the way: a city's batch is too big to be read again
    with store.open_new(path) as file:

        def write(piece: bytes) -> None:
            digest.update(piece)
            file.write(piece)

        copier.write_pages(_pages(ordered), write)

    manifest_path = f"{path.removesuffix('.pdf')}.csv"
    store.write(manifest_path, _manifest(ordered))
    pages = sum(paper.bill.pages for paper in ordered)
    return PrintBatch(path, manifest_path, len(ordered), pages, digest.hexdigest())


def post_order(paper: PaperBill) -> tuple[str, str, int]:
    """Return what bills are sorted by for the post: ZIP code, then account, then place."""
    return "".join(paper.zip.split()), account_key(paper.bill.account), paper.bill.first_page


def _pages(ordered: Sequence[PaperBill]) -> Iterator[int]:
    for paper in ordered:
        yield from paper.bill.page_numbers


def _manifest(ordered: Sequence[PaperBill]) -> bytes:
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(HEADINGS)
    first_page = 1
    for sequence, paper in enumerate(ordered, start=1):
        bill = paper.bill
        table.writerow(
            [sequence, _cell(bill.account), _cell(paper.zip), first_page, bill.pages, bill.sha256]
        )
        first_page += bill.pages
    return written.getvalue().encode("utf-8")


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes as text: a formula could send the list elsewhere."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
