"""The print batches of a closed run: one PDF a form, in the order of the post."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.tables import account, bill, delivery_plan, paper, print_batch
from domain.accounts import account_key
from splitter.filing import BillStore
from splitter.filing_bills import FiledBill
from splitter.print_batch import PaperBill, post_order, write_print_batch
from splitter.run_bills import StagedFile, staged_files


def write_paper_bills(
    database: Database, run: str, folder: BillStore, *, exports_folder: Path, now: datetime
) -> tuple[int, int, list[str]]:
    """
    Write what goes by post and list it; return bills, pages and the files written.

    Every account that the delivery plan puts on paper is in it, in ZIP-code order. Written again
    it is the same file. The run must be closed: the list refers to the close.
    """
    chosen = _paper_bills(database, run)
    files: list[str] = []
    for file in staged_files(database, run, exports_folder):
        ours = sorted(chosen.get(file.bulk, []), key=lambda found: post_order(found[0]))
        _record_list(database, run, file, ours)
        if ours:
            files.append(_write(database, run, file, [found for found, _ in ours], folder, now))
    bills = [found for group in chosen.values() for found, _ in group]
    return len(bills), sum(found.bill.pages for found in bills), files


def _paper_bills(database: Database, run: str) -> dict[int, list[tuple[PaperBill, str]]]:
    """Select the bills that go on paper by bulk file; an account with two bills gets neither."""
    single = (
        sa.select(bill.c.form, bill.c.account_key)
        .where(bill.c.run == run)
        .group_by(bill.c.form, bill.c.account_key)
        .having(sa.func.count() == 1)
        .subquery()
    )
    rows = (
        sa.select(bill, account.c.account.label("number"), account.c.zip, delivery_plan.c.paper)
        .join(
            single,
            sa.and_(single.c.form == bill.c.form, single.c.account_key == bill.c.account_key),
        )
        .join(account, sa.and_(account.c.run == run, account.c.account_key == bill.c.account_key))
        .join(
            delivery_plan,
            sa.and_(delivery_plan.c.run == run, delivery_plan.c.account_key == bill.c.account_key),
        )
        .where(bill.c.run == run, delivery_plan.c.paper.is_not(None))
    )
    chosen: defaultdict[int, list[tuple[PaperBill, str]]] = defaultdict(list)
    with database.reading() as books:
        for row in books.execute(rows):
            chosen[row.bulk].append((PaperBill(_filed(row), row.zip), row.paper))
    return chosen


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


def _record_list(
    database: Database, run: str, file: StagedFile, ordered: list[tuple[PaperBill, str]]
) -> None:
    form, bulk = file.patterns.form, file.bulk
    keys = sa.select(bill.c.account_key).where(bill.c.run == run, bill.c.bulk == bulk)
    with database.writing() as books:
        books.execute(
            paper.delete().where(
                paper.c.run == run, paper.c.form == form, paper.c.account_key.in_(keys)
            )
        )
        insert_rows(
            books,
            paper,
            ["run", "form", "account_key", "account", "pages", "reason", "sequence"],
            (
                (
                    run,
                    form,
                    account_key(found.bill.account),
                    found.bill.account,
                    found.bill.pages,
                    reason,
                    sequence,
                )
                for sequence, (found, reason) in enumerate(ordered, start=1)
            ),
        )


def _write(
    database: Database,
    run: str,
    file: StagedFile,
    ordered: list[PaperBill],
    folder: BillStore,
    now: datetime,
) -> str:
    name = f"{run}/{file.patterns.form}-{file.bulk}.pdf"
    batch = write_print_batch(file.path, ordered, folder, path=name)
    with database.writing() as books:
        books.execute(
            print_batch.delete().where(print_batch.c.run == run, print_batch.c.bulk == file.bulk)
        )
        books.execute(
            print_batch.insert().values(
                run=run,
                bulk=file.bulk,
                form=file.patterns.form,
                file=f"print/{name}",
                bills=batch.bills,
                pages=batch.pages,
                sha256=batch.sha256,
                written_at=now,
            )
        )
    return f"print/{name}"
