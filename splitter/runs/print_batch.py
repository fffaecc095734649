"""The print batches of a closed run: one PDF a form, in the order of the post."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
from splitter.printing.batch_file import PrintBatch, write_print_batch
from splitter.printing.envelopes import PaperBill, envelopes_of
from splitter.printing.terms import USUAL_TERMS, PrintTerms
from splitter.runs.records import StagedFile, staged_files
from splitter.store.bill_store import BillStore

FIRST = 1  # the close's own part; later ones hold what came back since
Chosen = dict[int, list[tuple[PaperBill, str]]]  # by bulk file: the bills and why they are here


def choose_first(database: Database, period: str, terms: PrintTerms = USUAL_TERMS) -> Chosen:
    """Choose what the close prints: by the plan, or because no mailbox took it meanwhile."""
    fell_back = sa.and_(
        paper.c.period.is_not(None), sa.or_(paper.c.part.is_(None), paper.c.part == FIRST)
    )
    return _choose(database, period, sa.or_(delivery_plan.c.paper.is_not(None), fell_back), terms)


def choose_waiting(database: Database, period: str, terms: PrintTerms = USUAL_TERMS) -> Chosen:
    """Choose what came back since the last part."""
    waits = sa.and_(paper.c.period.is_not(None), paper.c.part.is_(None))
    return _choose(database, period, waits, terms)


def _choose(
    database: Database, period: str, where: sa.ColumnElement[bool], terms: PrintTerms
) -> Chosen:
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
            *(account_in_force(account, field).label(field.value) for field in _TO),
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
            chosen[row.bulk].append((_addressed(row), row.reason))
    return {bulk: _in_envelopes(bills, terms) for bulk, bills in chosen.items()}


_ADDRESS = (ChangeField.MAILING_ADDRESS, ChangeField.CITY, ChangeField.STATE)
_TO = (ChangeField.ZIP, ChangeField.NAME, *_ADDRESS)


def _addressed(row: Any) -> PaperBill:
    lines = tuple(getattr(row, field.value) for field in _ADDRESS)
    return PaperBill(_filed(row), row.zip, row.edition, row.name, lines)


def _in_envelopes(
    bills: Sequence[tuple[PaperBill, str]], terms: PrintTerms
) -> list[tuple[PaperBill, str]]:
    """Return bills in the order in which they lie in a batch."""
    reasons = {id(found): reason for found, reason in bills}
    envelopes = envelopes_of([found for found, _ in bills], terms)
    return [(found, reasons[id(found)]) for one in envelopes for found in one.bills]


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
                sheets=batch.sheets,
                envelopes=batch.envelopes,
                sha256=batch.sha256,
                written_at=now,
            )
        )


@dataclass(frozen=True, slots=True)
class PrintPart:
    """
    What one part of a run's print batches holds: bills, pages, and the files written.

    `unmarked` sheets have no envelope's mark because something else stands there.
    """

    number: int
    bills: int
    pages: int
    files: tuple[str, ...]
    sheets: int = 0
    envelopes: int = 0
    unmarked: int = 0


def write_paper_bills(
    database: Database,
    period: str,
    folder: BillStore,
    *,
    exports_folder: Path,
    now: datetime,
    terms: PrintTerms = USUAL_TERMS,
) -> PrintPart:
    """
    Write the close's own print batches and list what is in them.

    Every account that the delivery plan puts on paper is in them, and every bill that no mailbox
    took, in ZIP-code order. Written again they are the same files. The run must be closed: the
    list refers to the close.
    """
    chosen = choose_first(database, period, terms)
    return _write_part(database, period, FIRST, chosen, folder, exports_folder, now, terms)


def write_next_part(
    database: Database,
    period: str,
    folder: BillStore,
    *,
    exports_folder: Path,
    now: datetime,
    terms: PrintTerms = USUAL_TERMS,
) -> PrintPart:
    """
    Write the bills that wait into a part of their own: those printed before stay as they are.

    Where none waits, nothing is written. Files first, books after: a kill between them leaves the
    bills waiting, and the same part is written again.
    """
    number = _last_part(database, period) + 1
    chosen = choose_waiting(database, period, terms)
    if not chosen:
        return PrintPart(number, 0, 0, ())
    return _write_part(database, period, number, chosen, folder, exports_folder, now, terms)


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
    terms: PrintTerms,
) -> PrintPart:
    files = [file for file in staged_files(database, period, exports_folder) if file.bulk in chosen]
    batches = [
        (file, write_print_batch(file.path, [found for found, _ in chosen[file.bulk]], folder,
                                 path=_name(period, part, file), terms=terms))
        for file in files
    ]  # fmt: skip
    with database.writing() as books:
        record_part(books, period, part, chosen, batches, now)
    return PrintPart(
        part,
        sum(batch.bills for _, batch in batches),
        sum(batch.pages for _, batch in batches),
        tuple(f"print/{batch.path}" for _, batch in batches),
        sum(batch.sheets for _, batch in batches),
        sum(batch.envelopes for _, batch in batches),
        sum(batch.unmarked for _, batch in batches),
    )


def _name(period: str, part: int, file: StagedFile) -> str:
    folder = period if part == FIRST else f"{period}/part-{part}"
    return f"{folder}/{file.patterns.form}-{file.bulk}.pdf"
