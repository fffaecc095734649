"""Print files on their way out: planned in the books, made, named, and only then written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.tables import paper, print_batch, print_plan, print_plan_bill
from domain.accounts import account_key
from splitter.printing.batch_file import PrintBatch
from splitter.printing.envelopes import PaperBill
from splitter.printing.terms import PrintTerms
from splitter.runs.records import StagedFile
from splitter.store.bill_store import BillStore

FIRST = 1  # the close's own part; later ones hold what came back since
FOLDER = "print/"  # of the home: the books name the files from there
_BILL = ("sequence", "form", "account_key", "edition", "account", "pages", "reason")
_FIGURES = ("bills", "pages", "sheets", "envelopes", "unmarked", "sha256", "manifest_sha256")


@dataclass(frozen=True)
class PrintPlan:
    """One print file before anything of it is written: what will be in it, in which order."""

    period: str
    part: int
    file: StagedFile
    bills: Sequence[tuple[PaperBill, str]]  # each with why it is on paper
    terms: PrintTerms

    @property
    def path(self) -> str:
        """Where its PDF will lie below the folder of print files."""
        folder = self.period if self.part == FIRST else f"{self.period}/part-{self.part}"
        return f"{folder}/{self.file.patterns.form}-{self.file.bulk}.pdf"

    @cached_property
    def key(self) -> str:
        """
        Name the file by its facts: period, whose part it is, form, and what will be in it.

        The same bills, addresses and settings have the same key, whoever plans it; another bill
        in it is another file.
        """
        kind = "close" if self.part == FIRST else f"part-{self.part}"
        form = f"{self.file.patterns.form}-{self.file.bulk}"
        return f"print/{self.period}/{kind}/{form}/{self._content()[:32]}"

    def _content(self) -> str:
        terms = json.dumps(asdict(self.terms), sort_keys=True, default=str)
        content = hashlib.sha256(terms.encode())
        for found, _ in self.bills:
            filed = found.bill
            told = (
                *(filed.account, found.edition, filed.sha256, filed.first_page, filed.pages),
                *(found.zip, found.name, *found.address),
            )
            content.update(json.dumps(told).encode())
        return content.hexdigest()


@dataclass(frozen=True, slots=True)
class PrintFault:
    """A print file that is not as the close wrote it; `what`: missing, changed, replaced."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file} {_SAID[self.what]}"


_SAID = {
    "missing": "is not where it was written",
    "changed": "is not as it was written: somebody changed it",
    "replaced": "was not what the close writes there, and was replaced",
}


def record_plans(
    books: Connection, period: str, plans: Sequence[PrintPlan], now: datetime
) -> list[str]:
    """
    Say in the books what is about to be written, once however often it is said.

    What a run that was ended planned otherwise is dropped; the paths of its files are returned.
    """
    keys = [plan.key for plan in plans]
    mine = print_plan.c.period == period
    other = sa.and_(mine, print_plan.c.key.not_in(keys))
    dropped = list(books.scalars(sa.select(print_plan.c.file).where(other)))
    books.execute(print_plan.delete().where(other))
    known = set(books.scalars(sa.select(print_plan.c.key).where(mine)))
    for plan in plans:
        if plan.key not in known:
            _insert_plan(books, plan, now)
    return [file.removeprefix(FOLDER) for file in dropped]


def _insert_plan(books: Connection, plan: PrintPlan, now: datetime) -> None:
    place = {"period": plan.period, "part": plan.part, "bulk": plan.file.bulk}
    form = plan.file.patterns.form
    row = {"key": plan.key, "form": form, "file": FOLDER + plan.path, "planned_at": now}
    books.execute(print_plan.insert().values(**place, **row))
    rows = (
        (
            *place.values(), sequence, found.bill.form, account_key(found.bill.account),
            found.edition, found.bill.account, found.bill.pages, reason,
        )
        for sequence, (found, reason) in enumerate(plan.bills, start=1)
    )  # fmt: skip
    insert_rows(books, print_plan_bill, (*place, *_BILL), rows)


def mark_made(books: Connection, plan: PrintPlan, batch: PrintBatch) -> None:
    """Write down what a finished file is, before anybody can find it under its name."""
    figures = {name: getattr(batch, name) for name in _FIGURES}
    books.execute(print_plan.update().where(print_plan.c.key == plan.key).values(figures))


def mark_written(books: Connection, key: str, now: datetime) -> None:
    """List a print file that is out, with its bills: what waited for it waits no more."""
    plan = books.execute(sa.select(print_plan).where(print_plan.c.key == key)).one()
    place = (print_plan_bill.c.period, print_plan_bill.c.part, print_plan_bill.c.bulk)
    ours = sa.and_(
        *(one == told for one, told in zip(place, (plan.period, plan.part, plan.bulk), strict=True))
    )
    listed = sa.select(print_plan_bill.c.form, print_plan_bill.c.account_key).where(ours)
    books.execute(
        paper.delete().where(
            paper.c.period == plan.period,
            paper.c.part.is_(None),
            sa.tuple_(paper.c.form, paper.c.account_key).in_(listed),
        )
    )
    columns = ["period", "part", *_BILL]
    rows = sa.select(*(print_plan_bill.c[name] for name in columns)).where(ours)
    books.execute(paper.insert().from_select(columns, rows))
    told = {name: getattr(plan, name) for name in ("period", "part", "bulk", "key", "form", "file")}
    told |= {name: getattr(plan, name) for name in _FIGURES}
    books.execute(print_batch.insert().values(**told, written_at=now))
    books.execute(print_plan.delete().where(print_plan.c.key == key))


def settle(database: Database, period: str, folder: BillStore, now: datetime) -> None:
    """
    Write down what a process that was ended had given its name; the rest is still to be made.

    A file is out where its PDF has its name and is what the books say: it is named last.
    """
    made = sa.select(print_plan.c.key, print_plan.c.file, print_plan.c.sha256).where(
        print_plan.c.period == period, print_plan.c.sha256.is_not(None)
    )
    with database.reading() as books:
        rows = books.execute(made).all()
    out = [row for row in rows if folder.sha256_of(_below(row.file)) == row.sha256]
    if out:
        with database.writing() as books:
            for row in out:
                mark_written(books, row.key, now)


def faults_of(
    books: Connection, folder: BillStore, period: str | None = None, file: str = ""
) -> list[PrintFault]:
    """
    Look whether print files that nobody has fetched lie there as they were written.

    Of one period or file, or of all. Each is read whole, and a large one takes a second or two.
    """
    rows = print_batch.c
    chosen = sa.select(rows.file, rows.sha256, rows.manifest_sha256).where(
        rows.fetched_at.is_(None)
    )
    if period is not None:
        chosen = chosen.where(rows.period == period)
    if file:
        chosen = chosen.where(rows.file == file)
    found = books.execute(chosen.order_by(rows.period, rows.part, rows.bulk)).all()
    return [fault for row in found for fault in _faults(folder, row)]


def stem_of(file: str) -> str:
    """Return what the paths of a print file's PDF and of its list have in common."""
    return file.rpartition(".")[0]


def unfinished_part(books: Connection, period: str) -> int | None:
    """Return the part that was planned and is not written; None: there is none."""
    part: int | None = books.scalar(
        sa.select(sa.func.max(print_plan.c.part)).where(print_plan.c.period == period)
    )
    return part


def unfinished_periods(books: Connection) -> list[str]:
    """Return the periods with print files that were begun and are not written down."""
    chosen = sa.select(print_plan.c.period).distinct().order_by(print_plan.c.period)
    return list(books.scalars(chosen))


def has_print_files(database: Database, period: str) -> bool:
    """Tell whether a print file of the period was begun or written."""
    found = sa.exists().where(print_plan.c.period == period)
    written = sa.exists().where(print_batch.c.period == period)
    with database.reading() as books:
        return bool(books.scalar(sa.select(sa.or_(found, written))))


def _faults(folder: BillStore, row: Any) -> list[PrintFault]:
    expected = {row.file: row.sha256}
    if row.manifest_sha256:
        expected[f"{stem_of(row.file)}.csv"] = row.manifest_sha256
    found = {file: folder.sha256_of(_below(file)) for file in expected}
    return [
        PrintFault(file, "missing" if found[file] is None else "changed")
        for file, digest in expected.items()
        if found[file] != digest
    ]


def _below(file: str) -> str:
    return file.removeprefix(FOLDER)
