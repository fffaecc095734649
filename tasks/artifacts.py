"""What the Prefect UI shows beside a run: tables, the report, progress."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from database.books import Database
from reporting.exceptions import list_exceptions
from reporting.markdown import exception_rows, to_markdown
from reporting.reading import read_run_sheet


def show_exceptions(database: Database, run: str) -> None:
    """Show what needs a person as a table; account numbers are all it holds of a customer."""
    create_table_artifact(
        key=f"exceptions-{slug(run)}",
        table=exception_rows(list_exceptions(database, run)),
        description=f"What needs a person in period {run}",
    )


def show_report(database: Database, run: str) -> None:
    """Show the report of a run as a page."""
    create_markdown_artifact(
        key=f"report-{slug(run)}",
        markdown=to_markdown(read_run_sheet(database, run), list_exceptions(database, run)),
        description=f"The close of period {run}",
    )


def slug(run: str) -> str:
    """Artifact keys take lower-case letters, digits and dashes alone."""
    return "".join(char if char.isalnum() else "-" for char in run.lower())
