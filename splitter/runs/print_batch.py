"""The print batches of a closed run: one PDF a form, in the order of the post."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.account_changes import account_in_force
from database.queries.bills import is_doubled
from database.queries.outsorted import is_outsorted
from database.tables import account, bill, delivery_plan, paper, print_batch
from domain.feeds import ChangeField
from splitter.bulk_file.filing import FiledBill
from splitter.printing.batch_file import PrintBatch, discard_unfinished, make_print_batch
from splitter.printing.envelopes import PaperBill, envelopes_of
from splitter.printing.terms import USUAL_TERMS, PrintTerms
from splitter.runs.print_plans import (
    FIRST,
    FOLDER,
    PrintFault,
    PrintPlan,
    faults_of,
    mark_made,
    mark_written,
    record_plans,
    settle,
    stem_of,
    unfinished_part,
)
from splitter.runs.records import staged_files
from splitter.store.bill_store import BillStore

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


def choose_printed(
    database: Database, period: str, part: int, terms: PrintTerms = USUAL_TERMS
) -> Chosen:
    """Choose what is in the files of a part, also what is held back since: it is in them."""
    return _select(database, period, paper.c.part == part, terms)


def _choose(
    database: Database, period: str, where: sa.ColumnElement[bool], terms: PrintTerms
) -> Chosen:
    """Select what may go on paper: of an account's two bills neither, and none held back."""
    may = (~is_doubled(), ~is_outsorted(bill.c.period, bill.c.account_key))
    return _select(database, period, sa.and_(*may, where), terms)


def _select(
    database: Database, period: str, where: sa.ColumnElement[bool], terms: PrintTerms
) -> Chosen:
    """Select bills by bulk file in the order of the post."""
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
        .where(bill.c.period == period, where)
    )
    chosen: defaultdict[int, list[tuple[PaperBill, str]]] = defaultdict(list)
    with database.reading() as books:
        once: dict[Any, Any] = {}  # what recurs, which a city's bills would each have of their own
        for row in books.execute(rows):
            paper_bill = _addressed(row, once)
            chosen[row.bulk].append((paper_bill, once.setdefault(row.reason, row.reason)))
    return {bulk: _in_envelopes(bills, terms) for bulk, bills in chosen.items()}


_ADDRESS = (ChangeField.MAILING_ADDRESS, ChangeField.CITY, ChangeField.STATE)
_TO = (ChangeField.ZIP, ChangeField.NAME, *_ADDRESS)


def _addressed(row: Any, once: dict[Any, Any]) -> PaperBill:
    street, *town = (getattr(row, field.value) for field in _ADDRESS)
    address = (street, *(once.setdefault(line, line) for line in town))
    return PaperBill(_filed(row, once), row.zip, row.edition, row.name, address)


def _in_envelopes(
    bills: Sequence[tuple[PaperBill, str]], terms: PrintTerms
) -> list[tuple[PaperBill, str]]:
    """Return bills in the order in which they lie in a batch."""
    reasons = {id(found): reason for found, reason in bills}
    envelopes = envelopes_of([found for found, _ in bills], terms)
    return [(found, reasons[id(found)]) for one in envelopes for found in one.bills]


def _filed(row: Any, once: dict[Any, Any]) -> FiledBill:
    return FiledBill(
        account=row.number,
        ordinal=row.ordinal,
        form=once.setdefault(row.form, row.form),
        pages=row.pages,
        first_page=row.first_page,
        amount_due=row.printed_amount_due,
        due_on=once.setdefault(row.printed_due_on, row.printed_due_on),
        path=row.pdf,
        sha256=row.sha256,
        bytes=row.size,
    )


@dataclass(frozen=True, slots=True)
class PrintPart:
    """
    What one part of a run's print batches holds: bills, pages, and the files written.

    `unmarked` sheets have no envelope's mark because something else stands there. `faults` are
    files that are not as they were written.
    """

    number: int
    bills: int
    pages: int
    files: tuple[str, ...]
    sheets: int = 0
    envelopes: int = 0
    unmarked: int = 0
    faults: tuple[PrintFault, ...] = ()


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
    took, in ZIP-code order. A file that is written is not written again: run again after a kill
    this goes on where it stopped. The run must be closed: the list refers to the close.
    """
    faults = _settle_all(database, period, folder, now)
    chosen = _left(database, FIRST, choose_first(database, period, terms), period)
    faults += _write(database, period, FIRST, chosen, folder, exports_folder, now, terms)
    return _read_part(database, period, FIRST, faults)


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

    Where none waits, nothing is written. A part that was begun and not ended is ended first.
    """
    with database.reading() as books:
        begun = unfinished_part(books, period)
    faults = _settle_all(database, period, folder, now)
    with database.reading() as books:
        number = unfinished_part(books, period) or _last_part(books, period) + 1
    chosen = _left(database, number, choose_waiting(database, period, terms), period)
    faults += _write(database, period, number, chosen, folder, exports_folder, now, terms)
    return _read_part(database, period, number if chosen else begun or number, faults)


def make_again(
    database: Database,
    period: str,
    folder: BillStore,
    *,
    exports_folder: Path,
    terms: PrintTerms = USUAL_TERMS,
) -> Iterator[tuple[str, PrintBatch | None]]:
    """
    Make each print file anew that is missing or changed and that nobody has fetched.

    Gives its path as the books have it, and the files, which nobody finds before they are given
    their names. None where they are not, byte for byte, what the books say was written: an
    address, a bill or a setting is another by now, and nothing is left of the attempt.
    """
    with database.reading() as books:
        lost = {stem_of(fault.file) for fault in faults_of(books, folder, period)}
        rows = books.execute(sa.select(print_batch).where(print_batch.c.period == period)).all()
    files = {file.bulk: file for file in staged_files(database, period, exports_folder)}
    for row in rows:
        if stem_of(row.file) in lost:
            bills = choose_printed(database, period, row.part, terms).get(row.bulk, [])
            plan = PrintPlan(period, row.part, files[row.bulk], bills, terms)
            yield row.file, _made_the_same(plan, row, folder)


def _made_the_same(plan: PrintPlan, row: Any, folder: BillStore) -> PrintBatch | None:
    if len(plan.bills) != row.bills:
        return None
    batch = _make(plan, folder)
    if (batch.sha256, batch.manifest_sha256) == (row.sha256, row.manifest_sha256):
        return batch
    discard_unfinished(folder, plan.path)
    return None


def last_later_part(database: Database, period: str) -> datetime | None:
    """Return when the run's newest part after the close's own was written, if there is one."""
    written_at = sa.select(sa.func.max(print_batch.c.written_at)).where(
        print_batch.c.period == period, print_batch.c.part > FIRST
    )
    with database.reading() as books:
        found: datetime | None = books.execute(written_at).scalar_one()
    return found


def _last_part(books: Connection, period: str) -> int:
    last = sa.select(sa.func.max(print_batch.c.part)).where(print_batch.c.period == period)
    return max(books.execute(last).scalar_one() or FIRST, FIRST)


def _settle_all(
    database: Database, period: str, folder: BillStore, now: datetime
) -> list[PrintFault]:
    """Settle what a kill left, and look at all files of the period that nobody has fetched."""
    settle(database, period, folder, now)
    with database.reading() as books:
        return faults_of(books, folder, period)


def _left(database: Database, part: int, chosen: Chosen, period: str) -> Chosen:
    """Leave out what is in a file that is written: whatever waits for it waits for the next."""
    with database.reading() as books:
        written = set(books.scalars(_in_part(print_batch.c.bulk, period, part)))
    return {bulk: bills for bulk, bills in chosen.items() if bulk not in written}


def _write(
    database: Database,
    period: str,
    part: int,
    chosen: Chosen,
    folder: BillStore,
    exports_folder: Path,
    now: datetime,
    terms: PrintTerms,
) -> list[PrintFault]:
    """
    Plan the files in the books, make them, write down what they are, name them, write them down.

    A kill before they are named leaves nothing that anybody finds; one after it leaves files that
    the books know. Tells what lay where a file belongs and was replaced.
    """
    plans = [
        PrintPlan(period, part, file, chosen[file.bulk], terms)
        for file in staged_files(database, period, exports_folder)
        if file.bulk in chosen
    ]
    with database.writing() as books:
        dropped = record_plans(books, period, plans, now)
    for path in dropped:
        discard_unfinished(folder, path)

    made = [(plan, _make(plan, folder)) for plan in plans]
    with database.writing() as books:
        for plan, batch in made:
            mark_made(books, plan, batch)

    faults = []
    for _, batch in made:
        if folder.sha256_of(batch.path) not in (None, batch.sha256):
            faults.append(PrintFault(FOLDER + batch.path, "replaced"))
        batch.give_names(folder)
    with database.writing() as books:
        for plan, _ in made:
            mark_written(books, plan.key, now)
    return faults


def _make(plan: PrintPlan, folder: BillStore) -> PrintBatch:
    papers = [found for found, _ in plan.bills]
    return make_print_batch(plan.file.path, papers, folder, path=plan.path, terms=plan.terms)


def _read_part(
    database: Database, period: str, part: int, faults: Sequence[PrintFault]
) -> PrintPart:
    """Tell of a part as the books have it."""
    with database.reading() as books:
        rows = books.execute(_in_part(print_batch, period, part)).all()
    return PrintPart(
        part,
        sum(row.bills for row in rows),
        sum(row.pages for row in rows),
        tuple(row.file for row in rows),
        sum(row.sheets for row in rows),
        sum(row.envelopes for row in rows),
        sum(row.unmarked for row in rows),
        tuple(faults),
    )


def _in_part(what: Any, period: str, part: int) -> sa.Select[Any]:
    rows = print_batch.c
    return sa.select(what).where(rows.period == period, rows.part == part).order_by(rows.bulk)
