"""`billclose auditors-pack`: one zip with what an auditor asks for about a period."""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.figures import close_figures
from command_line.opening import as_of_option, open_office
from domain.failures import Misuse, Refused
from domain.runs import RunState
from domain.words import say_count

if TYPE_CHECKING:
    from office.wiring import Office

SOFTWARE = (
    "billclose", "prefect", "sqlalchemy", "pypdf", "pypdfium2", "pikepdf", "great-expectations",
    "pandas", "aiosmtplib",
)  # fmt: skip


@click.command(name="auditors-pack")
@click.argument("period")
@click.option(
    "--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The zip to write; only you can read it.",
)  # fmt: skip
@as_of_option
@click.pass_obj
def auditors_pack(home: Path, period: str, file: Path, as_of: datetime | None) -> int:
    """Write report, checks, waivers, approvals, audit rows and hashes of all bills of PERIOD.

    The report holds account numbers and no names; mind all the same who gets the file.
    """
    from database.auditing import record_audit
    from database.runs import get_run
    from reporting.auditors_pack_chain import PACKED
    from reporting.auditors_pack_file import write_pack

    office = open_office(home, as_of)
    known = get_run(office.database, period)
    _require_place(file)
    members = _members(office, period)
    write_pack(file, members)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with office.database.writing() as books:
        record_audit(books, office.now(known), office.who, PACKED, period, f"sha256 {digest}")
    click.echo(f"{file}: {say_count(len(members), 'file')} about {period}, sha256 {digest}")
    return 0


def _members(office: Office, period: str) -> dict[str, bytes]:
    from office.settings_shown import settings_in_force
    from reporting.auditors_pack import pack_members
    from reporting.reading import read_run_sheet

    sheet = read_run_sheet(office.database, period)
    report = office.home / "reports" / f"close-{period}.html"
    if sheet.state is not RunState.FINISHED or not report.is_file():
        raise Refused(
            "period-open",
            f"The close of {period} is {sheet.state} and has no report yet; "
            f"{office.command} close {period} writes it.",
        )
    return pack_members(
        office.database,
        sheet,
        report=report.read_bytes(),
        figures=close_figures(period, "closed", None, sheet),
        settings=settings_in_force(office.settings),
        versions=_versions(office),
    )


def _versions(office: Office) -> dict[str, Any]:
    import platform

    from database.migrating import revision_of

    found = {name: version(name) for name in SOFTWARE}
    found["python"] = platform.python_version()
    found["schema"] = revision_of(office.database) or ""
    return found


def _require_place(file: Path) -> None:
    if not file.parent.is_dir():
        raise Misuse(f"There is no folder {file.parent}; make it, or choose another --to.")
