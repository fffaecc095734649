"""What the Prefect UI shows beside a run: tables, the report, progress."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from database.books import Database
from database.tables import print_batch
from office.equipment.office import Office
from office.procedures.exceptions import exceptions_of
from reporting.report.markdown import check_rows, exception_rows, to_markdown
from reporting.run_sheet.reading import read_run_sheet


def show_exceptions(office: Office, run: str) -> None:
    """Show what needs a person as a table; account numbers are all it holds of a customer."""
    create_table_artifact(
        key=f"exceptions-{slug(run)}",
        table=exception_rows(exceptions_of(office, run)),
        description=f"What needs a person in period {run}",
    )


def show_checks(database: Database, run: str) -> None:
    """Show what came of every check as a table, what failed first."""
    sheet = read_run_sheet(database, run)
    create_table_artifact(
        key=f"checks-{slug(run)}",
        table=check_rows(sheet),
        description=f"The {len(sheet.checks)} checks of period {run}",
    )


def show_question(run: str, text: str) -> None:
    """Show what a person is asked to approve, also to whoever has not opened the form."""
    create_markdown_artifact(
        key=f"approval-{slug(run)}",
        markdown=text,
        description=f"What would happen when period {run} is closed",
    )


def show_print_batch(database: Database, run: str, home: Path) -> None:
    """Show the files of the print batches, with a link to each part's folder."""
    query = (
        sa.select(print_batch)
        .where(print_batch.c.run == run)
        .order_by(print_batch.c.part, print_batch.c.bulk)
    )
    with database.reading() as books:
        batches = books.execute(query).all()
    create_table_artifact(
        key=f"print-{slug(run)}",
        table=[
            {
                "part": batch.part,
                "form": batch.form,
                "file": batch.file,
                "bills": batch.bills,
                "pages": batch.pages,
                "sha256": batch.sha256,
            }
            for batch in batches
        ],
        description=f"The print batches of period {run}",
    )
    for folder in dict.fromkeys((home / batch.file).parent for batch in batches):
        create_link_artifact(
            link=folder.absolute().as_uri(),
            link_text=str(folder),
            key=slug(f"print-folder-{run}-{folder.name}"),
            description=f"Where the print batches of period {run} lie on the office's machine",
        )


def link_report(run: str, file: Path) -> None:
    """Say where the report's file is; Prefect's older pages also link it, the newer do not."""
    create_link_artifact(
        link=file.absolute().as_uri(),
        link_text=str(file.absolute()),
        key=f"report-file-{slug(run)}",
        description=f"The report of period {run}, as a file on the office's machine",
    )


def show_report(office: Office, run: str) -> None:
    """Show the report of a run as a page."""
    create_markdown_artifact(
        key=f"report-{slug(run)}",
        markdown=to_markdown(read_run_sheet(office.database, run), exceptions_of(office, run)),
        description=f"The close of period {run}",
    )


def slug(run: str) -> str:
    """Artifact keys take lower-case letters, digits and dashes alone."""
    return "".join(char if char.isalnum() else "-" for char in run.lower())
