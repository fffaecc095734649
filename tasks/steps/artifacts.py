"""What the Prefect UI shows beside a run: tables, the report, progress."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter
from prefect.client.schemas.sorting import ArtifactSort
from prefect.runtime import flow_run

from database.books import Database
from database.tables import print_batch
from reporting.report.markdown import check_rows, exception_rows, to_markdown
from reporting.run_sheet.exceptions import ExceptionRow
from reporting.run_sheet.reading import list_check_texts, list_checks
from reporting.run_sheet.run_sheet import RunSheet


def show_exceptions(period: str, exceptions: Iterable[ExceptionRow]) -> None:
    """Show what needs a person as a table; account numbers are all it holds of a customer."""
    _show_table(
        key=f"exceptions-{slug(period)}",
        table=exception_rows(exceptions),
        description=f"What needs a person in period {period}",
    )


def show_checks(database: Database, period: str) -> None:
    """Show what came of every check as a table, what failed first."""
    with database.reading() as books:
        checks, texts = list_checks(books, period), list_check_texts(books, period)
    _show_table(
        key=f"checks-{slug(period)}",
        table=check_rows(checks, texts),
        description=f"The {len(checks)} checks of period {period}",
    )


def show_question(period: str, text: str) -> None:
    """Show what a person is asked to approve, also to whoever has not opened the form."""
    _show_markdown(
        key=f"approval-{slug(period)}",
        markdown=text,
        description=f"What would happen when period {period} is closed",
    )


def show_groups(period: str, text: str) -> None:
    """Show the groups of a late schedule, also to whoever has not opened the form."""
    _show_markdown(
        key=f"groups-{slug(period)}",
        markdown=text,
        description=f"Who would be charged when autopay of {period} is scheduled late",
    )


def show_print_batch(database: Database, period: str, home: Path) -> None:
    """Show the files of the print batches, with a link to each part's folder."""
    query = (
        sa.select(print_batch)
        .where(print_batch.c.period == period)
        .order_by(print_batch.c.part, print_batch.c.bulk)
    )
    with database.reading() as books:
        batches = books.execute(query).all()
    _show_table(
        key=f"print-{slug(period)}",
        table=[
            {
                "part": batch.part,
                "form": batch.form,
                "file": batch.file,
                "bills": batch.bills,
                "pages": batch.pages,
                "sheets": batch.sheets,
                "envelopes": batch.envelopes,
                "sha256": batch.sha256,
            }
            for batch in batches
        ],
        description=f"The print batches of period {period}",
    )
    for folder in dict.fromkeys((home / batch.file).parent for batch in batches):
        create_link_artifact(
            link=folder.absolute().as_uri(),
            link_text=str(folder),
            key=slug(
                f"print-folder-{period}" + ("" if folder.name == period else f"-{folder.name}")
            ),
            description=f"Where the print batches of period {period} lie on the office's machine",
        )


def show_rounds(day: date, rows: Sequence[Any]) -> None:
    """Show what the looks of a day came to, each on a line."""
    _show_table(
        key=f"rounds-{day}",
        table=[
            {
                "look": row.look,
                "looked": row.looks,
                "had work": row.starts,
                "failed": row.failures,
                "longest gap": f"{row.longest_gap_seconds / 60:.0f} min",
            }
            for row in rows
        ],
        description=f"How often was looked on {day} whether there is work, and what came of it",
    )


def link_report(period: str, file: Path) -> None:
    """Say where the report's file is; Prefect's older pages also link it, the newer do not."""
    create_link_artifact(
        link=file.absolute().as_uri(),
        link_text=str(file.absolute()),
        key=f"report-file-{slug(period)}",
        description=f"The report of period {period}, as a file on the office's machine",
    )


def show_report(sheet: RunSheet, exceptions: Iterable[ExceptionRow]) -> None:
    """Show the report of a run as a page."""
    _show_markdown(
        key=f"report-{slug(sheet.period)}",
        markdown=to_markdown(sheet, exceptions),
        description=f"The close of period {sheet.period}",
    )


def slug(run: str) -> str:
    """Artifact keys take lower-case letters, digits and dashes alone."""
    return "".join(char if char.isalnum() else "-" for char in run.lower())


_SHOWN: dict[str, tuple[str | None, str]] = {}  # by key: the run that showed it last here, and what


def _show_table(key: str, table: Sequence[dict[str, Any]], description: str) -> None:
    rows = list(table)
    content = json.dumps(rows, default=str)
    if not _is_shown(key, content):
        create_table_artifact(key=key, table=rows, description=description)
    _SHOWN[key] = flow_run.id, content


def _show_markdown(key: str, markdown: str, description: str) -> None:
    if not _is_shown(key, markdown):
        create_markdown_artifact(key=key, markdown=markdown, description=description)
    _SHOWN[key] = flow_run.id, markdown


def _is_shown(key: str, content: str) -> bool:
    """
    Tell whether this run shows the same already: one that was suspended starts again from the top.

    A second card with the same words would only have people look for what is different. What this
    process has shown it knows; the server is asked for what was shown before the run was suspended.
    """
    run = flow_run.id
    if not run:
        return False
    of_run, before = _SHOWN.get(key, ("", ""))
    if of_run == run:
        return before == content
    return bool(flow_run.run_count > 1 and _newest_of(run, key) == content)


def _newest_of(run: str, key: str) -> Any:
    """Return what a run's newest card of a key holds at the server; None: it has none."""
    chosen = {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}
    with get_client(sync_client=True) as client:
        newest = client.read_artifacts(
            artifact_filter=ArtifactFilter.model_validate(chosen),
            sort=ArtifactSort.CREATED_DESC,
            limit=1,
        )
    return newest[0].data if newest else None
