"""The list of the bills on paper: which are in a part of the print batches, and why."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.bills import is_doubled
from database.books import Database, insert_rows
from database.tables import account, bill, delivery_plan, paper, print_batch
from domain.accounts import account_key
from splitter.filing_bills import FiledBill
from splitter.print_batch import PaperBill, PrintBatch, post_order
from splitter.run_records import StagedFile

FIRST = 1  # the close's own part; later ones hold what came back since
Chosen = dict[int, list[tuple[PaperBill, str]]]  # by bulk file: the bills and why they are here


def choose_first(database: Database, run: str) -> Chosen:
    """Choose what the close prints: by the plan, or because no mailbox took it meanwhile."""
    fell_back = sa.and_(
        paper.c.run.is_not(None), sa.or_(paper.c.part.is_(None), paper.c.part == FIRST)
    )
    return _choose(database, run, sa.or_(delivery_plan.c.paper.is_not(None), fell_back))


def choose_waiting(database: Database, run: str) -> Chosen:
    """Choose what came back since the last part."""
    return _choose(database, run, sa.and_(paper.c.run.is_not(None), paper.c.part.is_(None)))


def _choose(database: Database, run: str, where: sa.ColumnElement[bool]) -> Chosen:
    """Select bills by bulk file in the order of the post; of an account's two bills, neither."""
    same_account = [
        sa.and_(table.c.run == run, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, paper)
    ]
    rows = (
        sa.select(
            bill,
            account.c.account.label("number"),
            account.c.zip,
            sa.func.coalesce(delivery_plan.c.paper, paper.c.reason).label("reason"),
        )
        .join(account, same_account[0])
        .join(delivery_plan, same_account[1])
        .outerjoin(paper, sa.and_(same_account[2], paper.c.form == bill.c.form))
        .where(bill.c.run == run, ~is_doubled(), where)
    )
    chosen: defaultdict[int, list[tuple[PaperBill, str]]] = defaultdict(list)
    with database.reading() as books:
        for row in books.execute(rows):
            chosen[row.bulk].append((PaperBill(_filed(row), row.zip), row.reason))
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


def record_part(
    books: Connection,
    run: str,
    part: int,
    chosen: Chosen,
    batches: list[tuple[StagedFile, PrintBatch]],
    now: datetime,
) -> None:
    """List a part's bills and files at once; what waited for it waits no more."""
    for table in (paper, print_batch):
        books.execute(table.delete().where(table.c.run == run, table.c.part == part))
    rows = []
    for bills in chosen.values():
        for sequence, (found, reason) in enumerate(bills, start=1):
            filed, key = found.bill, account_key(found.bill.account)
            rows.append((run, filed.form, key, filed.account, filed.pages, reason, part, sequence))
    waited = paper.delete().where(
        paper.c.run == run,
        paper.c.part.is_(None),
        paper.c.form == sa.bindparam("row_form"),
        paper.c.account_key == sa.bindparam("row_key"),
    )
    if rows:
        books.execute(waited, [{"row_form": row[1], "row_key": row[2]} for row in rows])
    columns = ["run", "form", "account_key", "account", "pages", "reason", "part", "sequence"]
    insert_rows(books, paper, columns, rows)
    for file, batch in batches:
        books.execute(
            print_batch.insert().values(
                run=run,
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
