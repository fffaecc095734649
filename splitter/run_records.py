"""What the books hold of a run's bulk files: where they are, their pages and their bills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.tables import account, bill, bulk_file, page, problem, split_batch
from domain.accounts import account_key
from domain.bills import PageAssignment
from domain.periods import BulkFile
from domain.problems import Problem
from splitter.filing_bills import FiledBill

COPY_PROBLEM = "bill-copy"
READ_BY_OCR = "It was read by OCR."  # the only reason of a page in a bill; a check looks for it


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A bulk file of a run, where it was copied to at import."""

    bulk: int
    path: Path
    patterns: BulkFile
    shared_sha256: str | None  # of its copy in the bill store; None: there is none


def staged_files(database: Database, run: str, exports_folder: Path) -> list[StagedFile]:
    """Return a run's bulk files as the import left them."""
    with database.reading() as books:
        rows = books.execute(
            sa.select(bulk_file).where(bulk_file.c.run == run).order_by(bulk_file.c.bulk)
        ).all()
    return [
        StagedFile(
            row.bulk,
            exports_folder / row.path,
            BulkFile(
                form=row.form,
                file=row.file,
                account=row.account_pattern,
                amount_due=row.amount_due_pattern,
                due_on=row.due_on_pattern,
                separator=row.separator,
                region=tuple(row.region) if row.region else None,
            ),
            row.shared_sha256,
        )
        for row in rows
    ]


def known_accounts(database: Database, run: str) -> frozenset[str]:
    with database.reading() as books:
        keys = sa.select(account.c.account_key).where(account.c.run == run)
        return frozenset(books.execute(keys).scalars())


def record_pages_and_bills(
    books: Connection,
    run: str,
    files: list[StagedFile],
    assignments: list[PageAssignment],
    filed: Iterable[tuple[int, FiledBill]],
    problems: list[Problem],
) -> None:
    for table in (page, bill, split_batch):
        books.execute(table.delete().where(table.c.run == run))
    insert_rows(
        books,
        page,
        ["run", "bulk", "page", "disposition", "account_key", "reason"],
        _page_rows(run, files, assignments),
    )
    insert_rows(
        books,
        bill,
        [
            "run", "form", "account_key", "ordinal", "account", "bulk", "first_page", "pages",
            "printed_amount_due", "printed_due_on", "pdf", "sha256", "size",
        ],
        (_bill_row(run, bulk, found) for bulk, found in filed),
    )  # fmt: skip
    _record_problems(books, run, problems)


def _page_rows(
    run: str, files: list[StagedFile], assignments: list[PageAssignment]
) -> Iterator[tuple[Any, ...]]:
    for file, assignment in zip(files, assignments, strict=True):
        by_ocr = frozenset(assignment.by_ocr)
        for found in assignment.bills:
            for number in found.pages:
                reason = READ_BY_OCR if number in by_ocr else ""
                yield run, file.bulk, number, "bill", account_key(found.account), reason
        for number in assignment.separators:
            yield run, file.bulk, number, "separator", "", ""
        for unassigned in assignment.unassigned:
            yield run, file.bulk, unassigned.page, "unassigned", "", unassigned.reason


def _bill_row(run: str, bulk: int, found: FiledBill) -> tuple[Any, ...]:
    return (
        run, found.form, account_key(found.account), found.ordinal, found.account, bulk,
        found.first_page, found.pages, found.amount_due, found.due_on, found.path, found.sha256,
        found.bytes,
    )  # fmt: skip


def _record_problems(books: Connection, run: str, problems: list[Problem]) -> None:
    books.execute(problem.delete().where(problem.c.run == run, problem.c.code == COPY_PROBLEM))
    last = books.execute(
        sa.select(sa.func.coalesce(sa.func.max(problem.c.line), 0)).where(problem.c.run == run)
    ).scalar_one()
    insert_rows(
        books,
        problem,
        ["run", "line", "code", "account", "file", "row", "column_name", "message"],
        (
            (run, line, found.code, found.account, found.file, found.row, found.column,
             found.message)
            for line, found in enumerate(problems, start=last + 1)
        ),
    )  # fmt: skip
