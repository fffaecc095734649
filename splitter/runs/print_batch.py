"""The print batches of a closed run: one PDF a form, in the order of the post."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.definitions.account_changes import account_in_force
from database.queries.bills import is_doubled
from database.queries.outsorted import is_outsorted
from database.tables import account, bill, delivery_plan, paper, print_batch
from domain.accounts import account_key
from domain.feeds import ChangeField
from splitter.bulk_file.filing import FiledBill
from splitter.copying.copier import BillCopier
from splitter.runs.records import StagedFile, staged_files
from splitter.store.bill_store import BillStore

HEADINGS = ("sequence", "account", "zip", "first_page", "pages", "sha256")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class PaperBill:
    """A bill that goes by post, and the ZIP code it goes to."""

    bill: FiledBill
    zip: str
    edition: int = 0  # how often another bill took its place


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
    for printed in ordered:
        yield from printed.bill.page_numbers


def _manifest(ordered: Sequence[PaperBill]) -> bytes:
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(HEADINGS)
    first_page = 1
    for sequence, printed in enumerate(ordered, start=1):
        bill = printed.bill
        table.writerow(
            [sequence, _cell(bill.account), _cell(printed.zip), first_page, bill.pages, bill.sha256]
        )
        first_page += bill.pages
    return written.getvalue().encode("utf-8")


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes as text: a formula could send the list elsewhere."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


FIRST = 1  # the close's own part; later ones hold what came back since
Chosen = dict[int, list[tuple[PaperBill, str]]]  # by bulk file: the bills and why they are here


def choose_first(database: Database, period: str) -> Chosen:
    """Choose what the close prints: by the plan, or because no mailbox took it meanwhile."""
    fell_back = sa.and_(
        paper.c.period.is_not(None), sa.or_(paper.c.part.is_(None), paper.c.part == FIRST)
    )
    return _choose(database, period, sa.or_(delivery_plan.c.paper.is_not(None), fell_back))


def choose_waiting(database: Database, period: str) -> Chosen:
    """Choose what came back since the last part."""
    return _choose(database, period, sa.and_(paper.c.period.is_not(None), paper.c.part.is_(None)))


def _choose(database: Database, period: str, where: sa.ColumnElement[bool]) -> Chosen:
    """
    Select bills by bulk file in the order of the post.

    Of an account's two bills neither, and none that is held back.
    """
    same_account = [
        sa.and_(table.c.period == period, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, paper)
    ]
    same_edition = sa.and_(paper.c.form == bill.c.form, paper.c.edition == bill.c.edition)
    rows = (
        sa.select(
            bill,
            account.c.account.label("number"),
            account_in_force(account, ChangeField.ZIP).label("zip"),
            sa.func.coalesce(delivery_plan.c.paper, paper.c.reason).label("reason"),
        )
        .join(account, same_account[0])
        .join(delivery_plan, same_account[1])
        .outerjoin(paper, sa.and_(same_account[2], same_edition))
        .where(
            bill.c.period == period,
            ~is_doubled(),
            ~is_outsorted(bill.c.period, bill.c.account_key),
            where,
        )
    )
    chosen: defaultdict[int, list[tuple[PaperBill, str]]] = defaultdict(list)
    with database.reading() as books:
        for row in books.execute(rows):
            chosen[row.bulk].append((PaperBill(_filed(row), row.zip, row.edition), row.reason))
    for bills in chosen.values():
        bills.sort(key=lambda found: post_order(found[0]))
    return dict(chosen)


def _filed(row: Any) -> FiledBill:
    return FiledBill(
        account=row.number,
        ordinal=row.ordinal,
        form=row.form,
        pages=row.pages,
        first_page=row.first_page,
        amount_due=row.printed_amount_due,
        due_on=row.printed_due_on,
        path=row.pdf,
        sha256=row.sha256,
        bytes=row.size,
    )


_PAPER = (
    "period", "form", "account_key", "edition", "account", "pages", "reason", "part", "sequence",
)  # fmt: skip


def record_part(
    books: Connection,
    period: str,
    part: int,
    chosen: Chosen,
    batches: list[tuple[StagedFile, PrintBatch]],
    now: datetime,
) -> None:
    """List a part's bills and files at once; what waited for it waits no more."""
    for table in (paper, print_batch):
        books.execute(table.delete().where(table.c.period == period, table.c.part == part))
    rows = []
    for bills in chosen.values():
        for sequence, (found, reason) in enumerate(bills, start=1):
            filed, key = found.bill, account_key(found.bill.account)
            row = (period, filed.form, key, found.edition, filed.account, filed.pages)
            rows.append((*row, reason, part, sequence))
    waited = paper.delete().where(
        paper.c.period == period,
        paper.c.part.is_(None),
        paper.c.form == sa.bindparam("row_form"),
        paper.c.account_key == sa.bindparam("row_key"),
    )
    if rows:
        books.execute(waited, [{"row_form": row[1], "row_key": row[2]} for row in rows])
    insert_rows(books, paper, _PAPER, rows)
    for file, batch in batches:
        books.execute(
            print_batch.insert().values(
                period=period,
                part=part,
                bulk=file.bulk,
                form=file.patterns.form,
                file=f"print/{batch.path}",
                bills=batch.bills,
                pages=batch.pages,
                sha256=batch.sha256,
                written_at=now,
            )
        )


@dataclass(frozen=True, slots=True)
class PrintPart:
    """What one part of a run's print batches holds: bills, pages, and the files written."""

    number: int
    bills: int
    pages: int
    files: tuple[str, ...]


def write_paper_bills(
    database: Database, period: str, folder: BillStore, *, exports_folder: Path, now: datetime
) -> PrintPart:
    """
    Write the close's own print batches and list what is in them.

    Every account that the delivery plan puts on paper is in them, and every bill that no mailbox
    took, in ZIP-code order. Written again they are the same files. The run must be closed: the
    list refers to the close.
    """
    chosen = choose_first(database, period)
    return _write_part(database, period, FIRST, chosen, folder, exports_folder, now)


def write_next_part(
    database: Database, period: str, folder: BillStore, *, exports_folder: Path, now: datetime
) -> PrintPart:
    """
    Write the bills that wait into a part of their own: those printed before stay as they are.

    Where none waits, nothing is written. Files first, books after: a kill between them leaves the
    bills waiting, and the same part is written again.
    """
    number = _last_part(database, period) + 1
    chosen = choose_waiting(database, period)
    if not chosen:
        return PrintPart(number, 0, 0, ())
    return _write_part(database, period, number, chosen, folder, exports_folder, now)


def last_later_part(database: Database, period: str) -> datetime | None:
    """Return when the run's newest part after the close's own was written, if there is one."""
    written_at = sa.select(sa.func.max(print_batch.c.written_at)).where(
        print_batch.c.period == period, print_batch.c.part > FIRST
    )
    with database.reading() as books:
        found: datetime | None = books.execute(written_at).scalar_one()
    return found


def _last_part(database: Database, period: str) -> int:
    last = sa.select(sa.func.max(print_batch.c.part)).where(print_batch.c.period == period)
    with database.reading() as books:
        return max(books.execute(last).scalar_one() or FIRST, FIRST)


def _write_part(
    database: Database,
    period: str,
    part: int,
    chosen: Chosen,
    folder: BillStore,
    exports_folder: Path,
    now: datetime,
) -> PrintPart:
    files = [file for file in staged_files(database, period, exports_folder) if file.bulk in chosen]
    batches = [
        (file, write_print_batch(file.path, [found for found, _ in chosen[file.bulk]], folder,
                                 path=_name(period, part, file)))
        for file in files
    ]  # fmt: skip
    with database.writing() as books:
        record_part(books, period, part, chosen, batches, now)
    return PrintPart(
        part,
        sum(batch.bills for _, batch in batches),
        sum(batch.pages for _, batch in batches),
        tuple(f"print/{batch.path}" for _, batch in batches),
    )


def _name(period: str, part: int, file: StagedFile) -> str:
    folder = period if part == FIRST else f"{period}/part-{part}"
    return f"{folder}/{file.patterns.form}-{file.bulk}.pdf"
