"""A bill run's own row and its bulk files in the books."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.documents import document_path
from billing_system.port import Export
from database import tables
from domain.runs import RunState


def stage_run(
    connection: Connection, export: Export, state: RunState, now: datetime, who: str
) -> None:
    """Insert the run and its bulk files; a second import of it waits here for the first."""
    totals = export.control_totals
    connection.execute(
        tables.bill_run.insert().values(
            run=export.period.id,
            state=state,
            utility=export.utility.name,
            timezone=export.utility.timezone,
            starts_on=export.period.starts_on,
            ends_on=export.period.ends_on,
            due_on=export.period.due_on,
            export_name=export.name,
            export_sha256=export.sha256,
            imported_at=now,
            imported_by=who,
            control_accounts=totals.accounts,
            control_bills=totals.bills,
            control_opening_balance=totals.opening_balance,
            control_billed=totals.billed,
            control_payments=totals.payments,
            control_adjustments=totals.adjustments,
            control_penalties=totals.penalties,
            control_closing_balance=totals.closing_balance,
        )
    )
    _stage_bulk_files(connection, export)


def remove_run(connection: Connection, run: str) -> None:
    """Delete a run that is not closed; all its rows go with it (ON DELETE CASCADE)."""
    connection.execute(sa.delete(tables.bill_run).where(tables.bill_run.c.run == run))


def _stage_bulk_files(connection: Connection, export: Export) -> None:
    rows = [
        {
            "run": export.period.id,
            "bulk": bulk,
            "form": file.form,
            "file": file.file,
            "path": document_path(export, bulk),
            "account_pattern": file.account,
            "amount_due_pattern": file.amount_due,
            "due_on_pattern": file.due_on,
            "separator": file.separator,
            "region": sa.null() if file.region is None else list(file.region),
        }
        for bulk, file in enumerate(export.bulk_files)
    ]
    for row in rows:
        connection.execute(tables.bulk_file.insert().values(row))
