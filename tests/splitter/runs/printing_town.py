"""A closed month with two bulk files on paper, and a process that prints it until it is killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from database.books import Database
from database.tables import bill, bulk_file, delivery_plan, paper
from domain.accounts import account_key
from domain.deliveries import PaperReason
from splitter.bulk_file.splitting import split
from splitter.printing.terms import PrintTerms
from splitter.runs.print_batch import PrintPart, write_next_part, write_paper_bills
from splitter.store.bill_store import BillStore
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.forked import forks, load_before_forks
from tests.splitter.pdf_builders import ACCOUNT, a_bulk_file, a_page, write_pdf

FORMS = ("utility-bill", "final-bill")
ACCOUNTS = ("01.1001.1", "01.1002.2", "01.1003.3", "01.1004.4", "01.1005.5", "01.1006.6")
BY_MAIL = frozenset(ACCOUNTS[2::3])  # of each file the last one; it goes on paper when it came back
load_before_forks(__name__)


def stage_town(database: Database, place: Path) -> None:
    """Close a month of six bills in two files: two of each on paper, one by mail."""
    stage_run(
        database,
        *(a_household(number, zip=f"8030{4 - row % 3}") for row, number in enumerate(ACCOUNTS)),
    )
    exports = place / "exports"
    exports.mkdir()
    for bulk, form in enumerate(FORMS):
        accounts = ACCOUNTS[3 * bulk : 3 * bulk + 3]
        source = write_pdf(exports / f"{form}.pdf", [a_page(number) for number in accounts])
        bills = split(
            source, a_bulk_file(form=form), BillStore(place / "bills"), prefix=form, processes=1
        ).bills
        with database.writing() as books:
            books.execute(
                bulk_file.insert().values(
                    period=RUN, bulk=bulk, form=form, file=source.name, path=source.name,
                    account_pattern=ACCOUNT,
                )
            )  # fmt: skip
            for one in bills:
                books.execute(
                    bill.insert().values(
                        period=RUN, form=form, account_key=account_key(one.account), ordinal=1,
                        account=one.account, bulk=bulk, first_page=one.first_page, pages=one.pages,
                        pdf=one.path, sha256=one.sha256, size=one.bytes,
                    )
                )  # fmt: skip
    with database.writing() as books:
        for number in ACCOUNTS:
            is_mailed = number in BY_MAIL
            books.execute(
                delivery_plan.insert().values(
                    period=RUN, account_key=account_key(number), paperless=is_mailed,
                    paper=None if is_mailed else PaperReason.NO_EBILL,
                )
            )  # fmt: skip
    close_run(database)


def come_back(database: Database, *accounts: str) -> None:
    """Let mails of bills come back: they wait for the next part."""
    with database.writing() as books:
        for number in accounts:
            form = FORMS[ACCOUNTS.index(number) // 3]
            books.execute(
                paper.insert().values(
                    period=RUN, form=form, account_key=account_key(number), account=number, pages=1,
                    reason=PaperReason.EBILL_BOUNCED, sequence=0,
                )
            )  # fmt: skip


def print_part(database: Database, place: Path, part: str, **terms: Any) -> PrintPart:
    write = {"first": write_paper_bills, "next": write_next_part}[part]
    return write(
        database, RUN, BillStore(place / "print"), exports_folder=place / "exports", now=NOW,
        terms=PrintTerms(**terms),
    )  # fmt: skip


def print_and_die(database: Database, place: Path, part: str, moment: int, **terms: Any) -> int:
    """
    Print in a process that is killed right before its so manyth moment.

    A moment is a commit, a file opened under its temporary name, a file renamed. Returns how many
    moments a process had that was not killed, else the signal's number below zero.
    """
    url = database.engine.url.render_as_string(hide_password=False)
    context = forks()
    answers, answering = context.Pipe(duplex=False)
    process = context.Process(target=_print, args=(url, place, part, moment, terms, answering))
    process.start()
    answering.close()
    process.join()
    assert process.exitcode is not None
    return answers.recv() if process.exitcode == 0 else process.exitcode


def _print(
    url: str, place: Path, part: str, moment: int, terms: dict[str, Any], answering: Any
) -> None:
    moments = Moments(moment, str(place / "print"))
    event.listen(Engine, "commit", moments.on_commit)
    sys.addaudithook(moments.on_audit)
    database = Database(url)
    print_part(database, place, part, **terms)
    database.close()
    answering.send(moments.counted)


class Moments:
    def __init__(self, last: int, folder: str) -> None:
        self.counted, self._last, self._folder = 0, last, folder

    def on_commit(self, books: Connection) -> None:
        if books.get_execution_options().get("writes"):
            self.count()

    def on_audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name not in ("open", "os.rename"):
            return
        opened = str(arguments[0])
        is_moment = name == "os.rename" or "/.new-" in opened
        if is_moment and opened.startswith(self._folder):
            self.count()

    def count(self) -> None:
        self.counted += 1
        if self.counted == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def files(place: Path) -> dict[str, bytes]:
    """All that lies in the folder of print files, also what has no name yet."""
    folder = place / "print"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(database: Database, *tables: sa.Table) -> list[list[tuple[Any, ...]]]:
    with database.reading() as books:
        return [
            sorted((tuple(row) for row in books.execute(sa.select(table))), key=repr)
            for table in tables
        ]
