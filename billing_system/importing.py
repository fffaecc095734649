"""Importing: a billing export becomes a bill run's staged rows, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.belonging import require_no_overlap, require_own_utility
from billing_system.export.cells import forget_cells
from billing_system.export_files import copy_documents, sweep_documents, unstable
from billing_system.port import BillingExport
from billing_system.staging import remove_run, stage_boundary, stage_run, stage_tables
from database.audit import record_audit
from database.books import Database
from database.tables import account, bill_run, movement, period_close, problem
from domain.failures import Refused
from domain.runs import RUN, RunState


class ImportStatus(StrEnum):
    """What became of an import."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # this very export had been imported before
    REPLACED = "replaced"


def lock_run(books: Connection, period: str) -> Any:
    """
    Read the run and keep others from importing or closing it until we are through.

    Where there is no row to lock yet, the insert of the same key makes the second import wait.
    """
    query = sa.select(bill_run).where(bill_run.c.period == period).with_for_update()
    return books.execute(query).one_or_none()


def decide(
    books: Connection, export: BillingExport, *, replace: bool, corrects_refused: bool
) -> ImportStatus:
    """Say what this export is to the run that is there, if any; raises Refused."""
    period = export.period.id
    found = books.execute(sa.select(bill_run).where(bill_run.c.period == period)).one_or_none()
    if found is None:
        return ImportStatus.IMPORTED
    if found.export_sha256 == export.sha256:
        return ImportStatus.UNCHANGED
    _refuse_closed(books, period, found)
    if replace or (corrects_refused and found.state is RunState.REFUSED):
        return ImportStatus.REPLACED
    new_one = "import it with --replace"
    if found.state is RunState.WAITING:  # a no to what waits needs no terminal
        new_one = f"say no to what waits for a yes and close with it, or {new_one} at a terminal"
    raise Refused(
        "export-changed",
        f"Period {period} was imported from {found.export_name} on "
        f"{found.imported_at:%Y-%m-%d %H:%M} UTC by {found.imported_by}, and {export.name} differs "
        f"from it; to use the new one {new_one}.",
    )


def _refuse_closed(books: Connection, period: str, found: Any) -> None:
    query = sa.select(period_close).where(period_close.c.period == period)
    close = books.execute(query).one_or_none()
    if close is not None:
        raise Refused(
            "period-closed",
            f"Period {period} was closed on {close.closed_at:%Y-%m-%d %H:%M} UTC by "
            f"{close.closed_by}; `billclose correct` replaces single bills, and "
            f"`billclose undo {period}` takes the close back while that can be done.",
        )
    if found.state in (RunState.CLOSED, RunState.FINISHED):
        raise Refused(
            "period-closed", f"Period {period} is {found.state}; correct it in the next period."
        )


ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import did, and what the run holds now."""

    period: str
    status: ImportStatus
    accounts: int
    movements: int
    problems: int


def import_export(
    database: Database,
    export: BillingExport,
    *,
    exports_folder: Path,
    now: datetime,
    who: str,
    replace: bool = False,
    corrects_refused: bool = False,
    utility: str = "",
    overlaps: str | None = None,
) -> ImportOutcome:
    """
    Stage an export in one transaction, its bulk PDFs copied to the folder of exports before it
    ends: whoever sees the run finds its files.

    The same export again changes nothing. A different one for the same run needs `replace`, or
    `corrects_refused` where the run was refused: a corrected export is then what is waited for.
    `utility` is whose exports this home takes by its settings; `overlaps` says why the period may
    overlap a closed one.
    Raises Refused (`export-changed`, `period-closed`, `export-unstable`, `other-utility`,
    `overlap`) with nothing changed.
    """
    wishes = (replace, corrects_refused, utility, overlaps)
    request = _Request(export, exports_folder, now, who, *wishes)
    period = export.period.id
    with database.reading() as books:
        require_own_utility(books, export.utility, period, utility)
        status = request.decide(books)
        if status is ImportStatus.UNCHANGED and not overlaps:
            return _count(books, period, status)

    try:
        outcome = _import_alone(database, request)
    finally:
        forget_cells()
    _sweep(database, period, exports_folder)
    return outcome


@dataclass(frozen=True, slots=True)
class _Request:
    export: BillingExport
    exports_folder: Path
    now: datetime
    who: str
    replace: bool
    corrects_refused: bool
    utility: str
    overlaps: str | None

    def decide(self, books: Connection) -> ImportStatus:
        return decide(
            books, self.export, replace=self.replace, corrects_refused=self.corrects_refused
        )


def _import_alone(database: Database, request: _Request) -> ImportOutcome:
    """Import; where somebody else inserted the same run while we waited, decide anew."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _import(database, request)
        except sa.exc.IntegrityError:
            if not _is_there(database, request.export.period.id):
                raise
    return _import(database, request)


def _import(database: Database, request: _Request) -> ImportOutcome:
    export = request.export
    period = export.period.id
    with database.writing() as books:
        found = lock_run(books, period)
        require_own_utility(books, export.utility, period, request.utility)
        status = request.decide(books)
        if status is ImportStatus.UNCHANGED:
            allow_overlap(books, period, request.overlaps, request.now, request.who)
            return _count(books, period, status)

        if status is ImportStatus.REPLACED:
            remove_run(books, period)
        stage_run(books, export, _state_after(found), request.now, request.who)
        copy_documents(export, request.exports_folder)
        movements, problems = stage_tables(books, export)
        stage_boundary(books, export, request.now)
        allow_overlap(books, period, request.overlaps, request.now, request.who)
        require_no_overlap(books, period)

        if export.files.fingerprints() != export.fingerprints:
            raise unstable(export)
        outcome = ImportOutcome(period, status, len(export.accounts), movements, problems)
        _audit(books, request, outcome)
    return outcome


def allow_overlap(
    books: Connection, period: str, reason: str | None, now: datetime, who: str
) -> None:
    """Keep why a period may overlap a closed one; the audit list has it too."""
    if reason:
        known = sa.select(bill_run.c.overlaps).where(bill_run.c.period == period)
        if books.execute(known).scalar_one() != reason:
            kept = sa.update(bill_run).where(bill_run.c.period == period)
            books.execute(kept.values(overlaps=reason))
            record_audit(books, now, who, "allow overlap", period, reason)


def _state_after(found: Any) -> RunState:
    return RunState.STAGED if found is None else RUN.after(found.state, "imported")


def _audit(books: Connection, request: _Request, outcome: ImportOutcome) -> None:
    export = request.export
    detail = (
        f"{outcome.status}: {export.name}, sha256 {export.sha256[:16]}, {outcome.accounts} "
        f"accounts, {outcome.movements} movements, {outcome.problems} problems"
    )
    record_audit(books, request.now, request.who, "import", outcome.period, detail)


def _count(books: Connection, period: str, status: ImportStatus) -> ImportOutcome:
    counts = [
        books.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.period == period)
        ).scalar_one()
        for table in (account, movement, problem)
    ]
    return ImportOutcome(period, status, *counts)


def _is_there(database: Database, period: str) -> bool:
    with database.reading() as books:
        query = sa.select(bill_run.c.period).where(bill_run.c.period == period)
        return books.execute(query).first() is not None


def _sweep(database: Database, period: str, exports_folder: Path) -> None:
    """
    Remove copies that no run refers to any more.

    Copies are made and removed under the run's lock alone. Where another import holds it, there
    is nothing to do: it sweeps when it is through.
    """
    with database.writing() as books:
        query = sa.select(bill_run.c.export_sha256).where(bill_run.c.period == period)
        keep = books.execute(query.with_for_update(skip_locked=True)).scalar_one_or_none()
        if keep is not None:
            sweep_documents(exports_folder, period, keep)
