"""Deciding what an export is to the run that is there: new, the same, or another one."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.port import Export
from database.tables import bill_run, period_close
from domain.failures import Refused
from domain.runs import RunState


class ImportStatus(StrEnum):
    """What became of an import."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # this very export had been imported before
    REPLACED = "replaced"


def lock_run(connection: Connection, run: str) -> Any:
    """
    Read the run and keep others from importing or closing it until we are through.

    Where there is no row to lock yet, the insert of the same key makes the second import wait.
    """
    query = sa.select(bill_run).where(bill_run.c.run == run).with_for_update()
    return connection.execute(query).one_or_none()


def decide(
    connection: Connection, export: Export, *, replace: bool, corrects_refused: bool
) -> ImportStatus:
    """Say what this export is to the run that is there, if any; raises Refused."""
    run = export.period.id
    found = connection.execute(sa.select(bill_run).where(bill_run.c.run == run)).one_or_none()
    if found is None:
        return ImportStatus.IMPORTED
    if found.export_sha256 == export.sha256:
        return ImportStatus.UNCHANGED
    _refuse_closed(connection, run, found)
    if replace or (corrects_refused and found.state is RunState.REFUSED):
        return ImportStatus.REPLACED
    raise Refused(
        "export-changed",
        f"Period {run} was imported from {found.export_name} on "
        f"{found.imported_at:%Y-%m-%d %H:%M} UTC by {found.imported_by}, and {export.name} differs "
        "from it; to use the new one import it with --replace.",
    )


def _refuse_closed(connection: Connection, run: str, found: Any) -> None:
    query = sa.select(period_close).where(period_close.c.run == run)
    close = connection.execute(query).one_or_none()
    if close is not None:
        raise Refused(
            "period-closed",
            f"Period {run} was closed on {close.closed_at:%Y-%m-%d %H:%M} UTC by "
            f"{close.closed_by}; correct it by a correction in the next period.",
        )
    if found.state in (RunState.CLOSED, RunState.FINISHED):
        raise Refused(
            "period-closed", f"Period {run} is {found.state}; correct it in the next period."
        )
