"""The auditor's pack of a period, as this office writes it; who took one is audited."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.audit import record_audit
from database.migrating import revision_of
from database.runs import get_run
from database.tables import bill_run
from domain.failures import Refused
from domain.runs import RunState
from office.equipment.office import Office
from office.settings.settings import settings_in_force
from reporting.documents.auditors_pack import PACKED, pack_members
from reporting.run_sheet.figures import close_figures
from reporting.run_sheet.reading import read_run_sheet

SOFTWARE = (
    "billclose", "prefect", "sqlalchemy", "pypdf", "pypdfium2", "pikepdf", "great-expectations",
    "pandas", "aiosmtplib",
)  # fmt: skip


def report_file(office: Office, period: str) -> Path:
    """Return where the report of a period's close lies once it is written."""
    return office.home / "reports" / f"close-{period}.html"


def packed_periods(office: Office) -> tuple[str, ...]:
    """Return the periods of which there is a pack to be had, the newest first."""
    query = (
        sa.select(bill_run.c.period)
        .where(bill_run.c.state == RunState.FINISHED)
        .order_by(bill_run.c.ends_on.desc(), bill_run.c.period.desc())
    )
    with office.database.reading() as books:
        periods = books.scalars(query).all()
    return tuple(period for period in periods if report_file(office, period).is_file())


def pack_of(office: Office, period: str) -> dict[str, bytes]:
    """
    Return the files of a period's pack by name; the same books give the same bytes.

    Raises Misuse for an unknown period, Refused for one whose close has no report yet.
    """
    get_run(office.database, period)
    sheet, report = read_run_sheet(office.database, period), report_file(office, period)
    if sheet.state is not RunState.FINISHED or not report.is_file():
        raise Refused(
            "period-open",
            f"The close of {period} is {sheet.state} and has no report yet; "
            f"{office.command} close {period} writes it.",
        )
    nameless = replace(sheet, findings=sheet.findings.without_names())
    return pack_members(
        office.database,
        sheet,
        report=report.read_bytes(),
        figures=close_figures(period, "closed", None, nameless),
        settings=settings_in_force(office.settings),
        versions=_versions(office),
    )


def note_pack(office: Office, period: str, sha256: str) -> None:
    """Audit that somebody took a pack, by its hash."""
    at = office.now(get_run(office.database, period))
    with office.database.writing() as books:
        record_audit(books, at, office.who, PACKED, period, f"sha256 {sha256}")


def _versions(office: Office) -> dict[str, Any]:
    found = {name: version(name) for name in SOFTWARE}
    found["python"] = platform.python_version()
    found["schema"] = revision_of(office.database) or ""
    return found
