"""What people say about single pages of a run: whose a page is, or that it is nobody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import account, page, page_ruling, period_close, run_step
from domain.accounts import account_key
from domain.failures import Misuse, Refused
from domain.steps import Step
from splitter.association.rulings import PageRuling
from splitter.runs.records import StagedFile, hash_of, staged_files
from splitter.workers.page_facts import read_one


@dataclass(frozen=True, slots=True)
class SortedPage:
    """A page of a run and where it went; `page` counts from 1, as people count."""

    file: str
    page: int
    disposition: str
    account: str  # whose it is; of one that is nobody's, whose the bill before it is
    seems: str
    reason: str
    ruling: str  # "", "given to ...", "set aside", with the reason and who said it


@dataclass(frozen=True, slots=True)
class PageView:
    """One page as a person looks at it."""

    sorted: SortedPage
    text: str
    names: tuple[str, ...]
    path: Path  # of its bulk file


def list_pages(
    database: Database, period: str, exports_folder: Path, *, unassigned_only: bool
) -> list[SortedPage]:
    """Return a run's pages in the order of its files; with `unassigned_only` those of nobody."""
    files = {file.bulk: file for file in staged_files(database, period, exports_folder)}
    with database.reading() as books:
        rulings = {bulk: _rulings_of(books, file) for bulk, file in files.items()}
        names = _numbers(books, period)
        query = sa.select(page).where(page.c.period == period).order_by(page.c.bulk, page.c.page)
        if unassigned_only:
            query = query.where(page.c.disposition == "unassigned")
        return [
            SortedPage(
                files[row.bulk].patterns.file,
                row.page + 1,
                row.disposition,
                names.get(row.account_key, row.account_key),
                names.get(row.seems_key, row.seems_key),
                row.reason,
                _said(rulings[row.bulk].get(row.page)),
            )
            for row in books.execute(query)
        ]


def show_page(
    database: Database, period: str, exports_folder: Path, file: str, number: int
) -> PageView:
    """Return a page with its text; raises Misuse where there is none of that number."""
    staged = _staged(database, period, exports_folder, file)
    shown = next(
        (
            one
            for one in list_pages(database, period, exports_folder, unassigned_only=False)
            if one.file == staged.patterns.file and one.page == number
        ),
        None,
    )
    if shown is None:
        raise Misuse(f"{file} of {period} has no page {number} that was sorted; split it first.")
    facts, text = read_one(staged.path, staged.patterns, number - 1)
    return PageView(shown, text, facts.accounts, staged.path)


def count_unassigned(database: Database, period: str) -> int:
    """Return how many pages of a period belong to nobody."""
    query = (
        sa.select(sa.func.count())
        .select_from(page)
        .where(page.c.period == period, page.c.disposition == "unassigned")
    )
    with database.reading() as books:
        return books.scalar(query) or 0


def file_of_unassigned(
    database: Database, period: str, exports_folder: Path, file: str, number: int
) -> Path:
    """Return the bulk file of a page that belongs to nobody; raises Misuse for any other page."""
    staged = _staged(database, period, exports_folder, file)
    query = sa.select(page.c.page).where(
        page.c.period == period,
        page.c.bulk == staged.bulk,
        page.c.page == number - 1,
        page.c.disposition == "unassigned",
    )
    with database.reading() as books:
        if books.execute(query).first() is None:
            raise Misuse(f"{file} of {period} has no page {number} that belongs to nobody.")
    return staged.path


def rule_page(
    database: Database,
    period: str,
    exports_folder: Path,
    file: str,
    number: int,
    *,
    to: str,
    reason: str,
    now: datetime,
    who: str,
) -> None:
    """
    Write down whose a page is (`to`), or with an empty `to` that it is nobody's.

    The run is split again, with the same checks. Raises Misuse without a reason or for an unknown
    account, Refused for a run that is closed and for a page that names another account.
    """
    if not reason.strip():
        raise Misuse("Say with --reason why; it is audited.")
    staged = _staged(database, period, exports_folder, file)
    facts, _ = read_one(staged.path, staged.patterns, number - 1)
    with database.reading() as books:
        names = _numbers(books, period)
    key = account_key(to)
    if to and key not in names:
        raise Misuse(f"There is no account {to} in the export of {period}.")
    others = [name for name in facts.accounts if account_key(name) != key]
    if to and others:
        raise Refused(
            "page-names-account",
            f"Page {number} of {file} names {others[0]}; a page that names an account is not given"
            " to another one. Have the file printed again, or set the page aside.",
        )
    sha256 = hash_of(staged.path)
    with database.writing() as books:
        _require_open(books, period)
        _delete(books, sha256, number - 1)
        books.execute(
            page_ruling.insert().values(
                file_sha256=sha256,
                page=number - 1,
                text_checksum=facts.text_checksum,
                account=names.get(key, "") if to else "",
                reason=reason.strip(),
                ruled_by=who,
                ruled_at=now,
            )
        )
        _split_again(books, period)
        what = f"given to {names[key]}" if to else "set aside"
        detail = f"page {number} of {file} is {what}: {reason.strip()}"
        record_audit(books, now, who, "rule-page", period, detail)


def forget_ruling(
    database: Database,
    period: str,
    exports_folder: Path,
    file: str,
    number: int,
    *,
    reason: str,
    now: datetime,
    who: str,
) -> None:
    """Take back what was said about a page; raises Misuse where nothing was."""
    if not reason.strip():
        raise Misuse("Say with --reason why; it is audited.")
    staged = _staged(database, period, exports_folder, file)
    with database.writing() as books:
        _require_open(books, period)
        if not _delete(books, hash_of(staged.path), number - 1):
            raise Misuse(f"Nothing was said about page {number} of {file}.")
        _split_again(books, period)
        detail = f"what was said of page {number} of {file} is taken back: {reason.strip()}"
        record_audit(books, now, who, "forget-ruling", period, detail)


def rulings_of(database: Database, file: StagedFile) -> Mapping[int, PageRuling]:
    """Return what people said about the pages of a bulk file, whenever it was imported."""
    with database.reading() as books:
        return {
            number: PageRuling(row.page, row.text_checksum, row.account)
            for number, row in _rulings_of(books, file).items()
        }


def _rulings_of(books: Connection, file: StagedFile) -> dict[int, sa.Row[tuple[object, ...]]]:
    if books.execute(sa.select(page_ruling.c.page).limit(1)).first() is None:
        return {}  # mostly; hashing a large file takes seconds
    if not file.path.exists():
        return {}
    query = sa.select(page_ruling).where(page_ruling.c.file_sha256 == hash_of(file.path))
    return {row.page: row for row in books.execute(query)}


def _said(row: sa.Row[tuple[object, ...]] | None) -> str:
    if row is None:
        return ""
    what = f"given to {row.account}" if row.account else "set aside"
    return f"{what} by {row.ruled_by}: {row.reason}"


def _staged(database: Database, period: str, exports_folder: Path, file: str) -> StagedFile:
    files: Sequence[StagedFile] = staged_files(database, period, exports_folder)
    found = next((one for one in files if one.patterns.file == file), None)
    if found is None:
        names = ", ".join(one.patterns.file for one in files) or "none; import its export first"
        raise Misuse(f"{period} has no bulk file {file}; there is {names}.")
    if not found.path.exists():
        raise Misuse(f"{file} of {period} is on the machine that imported it; go on there.")
    return found


def _numbers(books: Connection, period: str) -> dict[str, str]:
    query = sa.select(account.c.account_key, account.c.account).where(account.c.period == period)
    return {row.account_key: row.account for row in books.execute(query)}


def _require_open(books: Connection, period: str) -> None:
    closed = books.execute(
        sa.select(period_close.c.period).where(period_close.c.period == period)
    ).first()
    if closed is not None:
        raise Refused("period-closed", f"Period {period} is closed; its pages are where they are.")


def _delete(books: Connection, sha256: str, number: int) -> int:
    where = sa.and_(page_ruling.c.file_sha256 == sha256, page_ruling.c.page == number)
    return books.execute(page_ruling.delete().where(where)).rowcount


def _split_again(books: Connection, period: str) -> None:
    """Let the next close split the run anew: whose the page is may change several bills."""
    books.execute(
        run_step.delete().where(run_step.c.period == period, run_step.c.step == Step.SPLIT)
    )
