"""What the books hold of a run's bulk files: where they are, their pages and their bills."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.tables import bill, bill_place, bulk_file, page, problem, split_batch
from domain.accounts import account_key
from domain.bills import PageAssignment
from domain.failures import Misuse, TemporaryFailure
from domain.periods import BY_ATTACHMENTS, NOTICE, BulkFile
from domain.problems import Problem
from splitter.bulk_file.filing import FiledBill
from splitter.runs.expected_bills import accounts_without_bill, orders_of_accounts
from splitter.runs.missing_bills import BillPlace, places_of_missing
from splitter.store.bill_store import BillStore
from splitter.store.local import make_private_folders
from splitter.workers.unfolder import unfold_file

GUARD_PROBLEM = "page-signals"  # what is not compared, or holds very many pages
COPY_PROBLEM = "bill-copy"
TAGS_PROBLEM = "bill-not-tagged"
SPLIT_PROBLEMS = (COPY_PROBLEM, GUARD_PROBLEM, TAGS_PROBLEM)  # none of them is an import's
UNFOLDED = "unfolded"  # what stands in the name of a file made of a portfolio's attachments
DROPPED = "A person said that it belongs to nobody."
READ_BY_OCR = "It was read by OCR."  # of a page in a bill; a check looks for just this


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A bulk file of a run, where it was copied to at import."""

    bulk: int
    path: Path
    patterns: BulkFile
    shared_sha256: str | None  # of its copy in the bill store; None: there is none

    @property
    def holds_notices(self) -> bool:
        """Say whether its documents are notices, which are sent beside the bills."""
        return self.patterns.form.endswith(NOTICE)


def staged_files(database: Database, period: str, exports_folder: Path) -> list[StagedFile]:
    """Return a run's bulk files as the import left them."""
    with database.reading() as books:
        rows = books.execute(
            sa.select(bulk_file).where(bulk_file.c.period == period).order_by(bulk_file.c.bulk)
        ).all()
    return [
        StagedFile(
            row.bulk,
            _lies_at(exports_folder / row.path, row.exemptions),
            BulkFile(
                form=row.form,
                file=row.file,
                account=row.account_pattern,
                amount_due=row.amount_due_pattern,
                due_on=row.due_on_pattern,
                separator=row.separator,
                region=tuple(row.region) if row.region else None,
                **_exemptions(row.exemptions),
            ),
            row.shared_sha256,
        )
        for row in rows
    ]


def _lies_at(exported: Path, exemptions: dict[str, Any] | None) -> Path:
    """A portfolio is worked with as one PDF of all its bills, which lies beside it."""
    is_portfolio = (exemptions or {}).get("by") == BY_ATTACHMENTS
    return exported.with_suffix(f".{UNFOLDED}.pdf") if is_portfolio else exported


def unfold_documents(database: Database, period: str, exports_folder: Path) -> None:
    """
    Put the files attached to a run's portfolios one behind the other, where that is not done yet.

    Raises Refused for a portfolio that cannot be taken apart. One that was exported elsewhere is
    left to whoever has it.
    """
    for file in staged_files(database, period, exports_folder):
        exported = file.path.with_name(file.path.name.replace(f".{UNFOLDED}.", "."))
        if exported != file.path and exported.exists() and not file.path.exists():
            unfold_file(exported, file.path, file.patterns.file)


def _exemptions(told: dict[str, Any] | None) -> dict[str, Any]:
    if not told:
        return {}
    return told | {"ignore": tuple(told["ignore"])} if "ignore" in told else told


def record_pages_and_bills(
    books: Connection,
    period: str,
    files: list[StagedFile],
    assignments: list[PageAssignment],
    filed: Iterable[tuple[int, FiledBill]],
    problems: list[Problem],
) -> None:
    for table in (page, bill, bill_place, split_batch):
        books.execute(table.delete().where(table.c.period == period))
    insert_rows(
        books,
        page,
        [
            "period",
            "bulk",
            "page",
            "disposition",
            "account_key",
            "seems_key",
            "text_checksum",
            "reason",
        ],
        _page_rows(period, files, assignments),
    )
    insert_rows(
        books,
        bill,
        [
            "period", "form", "account_key", "ordinal", "account", "bulk", "first_page", "pages",
            "printed_amount_due", "printed_due_on", "pdf", "sha256", "size", "lacks",
        ],
        _bill_rows(period, files, assignments, filed),
    )  # fmt: skip
    _record_places(books, period, files, assignments)
    warnings = [
        Problem(GUARD_PROBLEM, f"{file.patterns.form}: {said}", file=file.patterns.file)
        for file, assignment in zip(files, assignments, strict=True)
        for said in assignment.warnings
    ]
    _record_problems(books, period, [*problems, *warnings])


def _page_rows(
    period: str, files: list[StagedFile], assignments: list[PageAssignment]
) -> Iterator[tuple[Any, ...]]:
    for file, assignment in zip(files, assignments, strict=True):
        reasons = dict.fromkeys(assignment.by_ocr, READ_BY_OCR)
        doubted = {doubt.page: doubt for doubt in assignment.doubted}
        reasons |= {number: doubt.reason for number, doubt in doubted.items()}
        for found in assignment.bills:
            for number in found.pages:
                reason = reasons.get(number, "")
                key = account_key(found.account)
                seems = doubted[number].seems if number in doubted else ""
                yield period, file.bulk, number, "bill", key, seems, 0, reason
        for number in assignment.separators:
            yield period, file.bulk, number, "separator", "", "", 0, ""
        for number in assignment.dropped:
            yield period, file.bulk, number, "separator", "", "", 0, DROPPED
        for held in assignment.unassigned:
            yield (
                period, file.bulk, held.page, "unassigned", held.before, held.seems,
                held.text_checksum, held.reason,
            )  # fmt: skip


def _bill_rows(
    period: str,
    files: list[StagedFile],
    assignments: list[PageAssignment],
    filed: Iterable[tuple[int, FiledBill]],
) -> Iterator[tuple[Any, ...]]:
    lacks = {
        (file.bulk, found.pages[0]): found.lacks
        for file, assignment in zip(files, assignments, strict=True)
        for found in assignment.bills
        if found.lacks
    }
    for bulk, found in filed:
        yield (
            period, found.form, account_key(found.account), found.ordinal, found.account, bulk,
            found.first_page, found.pages, found.amount_due, found.due_on, found.path,
            found.sha256, found.bytes, lacks.get((bulk, found.first_page), ""),
        )  # fmt: skip


def _record_places(
    books: Connection, period: str, files: list[StagedFile], assignments: list[PageAssignment]
) -> None:
    """Write down where the bills of accounts without one would stand; notices are no bills."""
    parts = [
        (file.bulk, found)
        for file, found in zip(files, assignments, strict=True)
        if not file.holds_notices
    ]
    missing = accounts_without_bill(books, period, [found for _, found in parts])
    if not missing:
        return
    orders = orders_of_accounts(books, period)
    places: dict[str, BillPlace] = {}
    for bulk, found in parts:
        for place in places_of_missing(bulk, found, missing, orders):
            places.setdefault(place.account_key, place)
    insert_rows(
        books,
        bill_place,
        ["period", "account_key", "bulk", "before_key", "before_page", "after_page"],
        (
            (period, one.account_key, one.bulk, one.before_key, one.before_page, one.after_page)
            for one in places.values()
        ),
    )


def _record_problems(books: Connection, period: str, problems: list[Problem]) -> None:
    ours = problem.c.code.in_(SPLIT_PROBLEMS)
    books.execute(problem.delete().where(problem.c.period == period, ours))
    last = books.execute(
        sa.select(sa.func.coalesce(sa.func.max(problem.c.line), 0)).where(
            problem.c.period == period
        )
    ).scalar_one()
    insert_rows(
        books,
        problem,
        ["period", "line", "code", "account", "file", "row", "column_name", "message"],
        (
            (period, line, found.code, found.account, found.file, found.row, found.column,
             found.message)
            for line, found in enumerate(problems, start=last + 1)
        ),
    )  # fmt: skip


FOLDER = "exports"


def share_documents(
    database: Database, period: str, store: BillStore, exports_folder: Path
) -> None:
    """
    Put copies of a run's bulk files into a store that other machines reach.

    Each is named by its own hash, which is written into the books when the copy is complete:
    whoever reads there that it is shared can fetch it and see that it is the right one. Done
    again, only what is missing is copied. Copies of the run's earlier exports are removed.
    """
    files = staged_files(database, period, exports_folder)
    if all(file.shared_sha256 for file in files):
        return
    unfold_documents(database, period, exports_folder)
    store.delete_run(f"{FOLDER}/{period}")
    for file in files:
        _require_here(file, period)
        sha256 = hash_of(file.path)
        store.put_file(_name(period, sha256), file.path)
        with database.writing() as books:
            books.execute(
                bulk_file.update()
                .where(bulk_file.c.period == period, bulk_file.c.bulk == file.bulk)
                .values(shared_sha256=sha256)
            )


def fetch_documents(
    database: Database, period: str, store: BillStore, exports_folder: Path
) -> None:
    """
    Copy a run's bulk files from the store to where this machine would have imported them.

    They stay there, for this machine's own user alone, until another export takes the run's
    place. Raises Misuse where they were imported elsewhere and are not shared, TemporaryFailure
    where what the store gives is not what was put there.
    """
    unfold_documents(database, period, exports_folder)
    for file in staged_files(database, period, exports_folder):
        if not file.path.exists():
            if file.shared_sha256 is None:
                _require_here(file, period)
            _remove_earlier(file.path.parent)
            _fetch(store, _name(period, file.shared_sha256 or ""), file)


def _fetch(store: BillStore, name: str, file: StagedFile) -> None:
    make_private_folders(file.path.parent)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=file.path.parent)  # 0600
    os.close(descriptor)
    copy = Path(temporary)
    try:
        store.get_file(name, copy)
        if hash_of(copy) != file.shared_sha256:
            raise TemporaryFailure(f"{name} in the bill store is damaged; it is fetched again.")
        copy.replace(file.path)
    except FileNotFoundError:
        raise Misuse(
            f"{name} is missing in the bill store; import the export again with --replace.",
            "not-shared",
        ) from None
    finally:
        copy.unlink(missing_ok=True)


def _remove_earlier(folder: Path) -> None:
    """Remove what this machine holds of the run's other exports: it is nobody's bill any more."""
    if folder.parent.is_dir() and not folder.is_dir():
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)  # another process may do the same


def _require_here(file: StagedFile, period: str) -> None:
    if not file.path.exists():
        raise Misuse(
            f"The bulk file {file.patterns.file} of {period} is on the machine that imported it; "
            "go on there, or set bills.store to a place that all machines reach and import it "
            "there again.",
            "not-shared",
        )


def _name(period: str, sha256: str) -> str:
    return f"{FOLDER}/{period}/{sha256}.pdf"


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
