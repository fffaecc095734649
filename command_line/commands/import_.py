"""`billclose import`: an export is staged."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import (
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    overlaps_option,
)
from domain.failures import Misuse

if TYPE_CHECKING:
    from billing_system.importing import ImportOutcome
    from office.equipment.office import Office


SHOWN = 20  # problems on the screen; the rest is in the list


@click.command(name="import")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--history",
    is_flag=True,
    help="Take in past exports for comparison alone: nothing of them is closed or shown.",
)
@click.option("--replace", is_flag=True, help="Take this export instead of the one imported.")
@overlaps_option
@as_of_option
@json_option
@click.pass_obj
def import_bundle(
    home: Path,
    bundles: tuple[Path, ...],
    history: bool,
    replace: bool,
    overlaps: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Stage an export; nothing of it shows before the close."""
    from billing_system.importing import import_export
    from database.queries.export_notes import list_export_notes, note_lines
    from database.runs import get_run
    from office.equipment.locking import working_on
    from office.prefect_server.task_runner import is_shared
    from splitter.runs.records import share_documents

    office = open_office(home, as_of)
    if history:
        return _take_in_history(office, bundles, as_json=as_json)
    if len(bundles) > 1:
        raise Misuse("Give one export; several at once are for --history.")
    export = office.billing_system.read_export(bundles[0])
    with working_on(office, export.period.id):
        outcome = import_export(
            office.database,
            export,
            exports_folder=office.exports_folder,
            now=office.clock.due(export.utility.timezone),  # as what customers choose at that time
            who=office.who,
            replace=replace,
            utility=office.settings.utility.name,
            overlaps=overlaps,
        )
        if is_shared(office):
            share_documents(office.database, outcome.period, office.store, office.exports_folder)
    known = get_run(office.database, outcome.period)
    problems = _problems(office, outcome.period)
    with office.database.reading() as books:
        notes = list_export_notes(books, outcome.period)
    if as_json:
        document = {
            "period": outcome.period,
            "status": outcome.status.value,
            "utility": known.utility,
            "accounts": outcome.accounts,
            "transactions": outcome.movements,
            "problems": [{"account": a, "check": c, "message": m} for a, c, m in problems],
            "notes": [note.to_json() for note in notes],
        }
        click.echo(json.dumps(document, indent=1))
    else:
        _say(known.utility, outcome)
    for _account, code, message in problems[:SHOWN]:
        click.echo(f"  {code}: {message}", err=True)
    if len(problems) > SHOWN:
        click.echo(f"  and {len(problems) - SHOWN} more", err=True)
    for line in note_lines(notes):
        click.echo(f"  {line}", err=True)
    return NEEDS_PERSON if problems else 0


def _take_in_history(office: Office, bundles: tuple[Path, ...], *, as_json: bool) -> int:
    """Take in past exports, the oldest first as they were given; all of them, or say which not."""
    from billing_system.history import take_in_history

    exports = [office.billing_system.read_export(bundle) for bundle in bundles]
    rows, left_out = [], 0
    for export in exports:
        outcome = take_in_history(
            office.database,
            export,
            now=office.clock.now(export.utility.timezone),
            who=office.who,
            utility=office.settings.utility.name,
        )
        left_out += len(outcome.problems)
        rows.append(
            {
                "period": outcome.period,
                "status": outcome.status.value,
                "lines": outcome.lines,
                "left_out": len(outcome.problems),
            }
        )
        for problem in outcome.problems[:SHOWN]:
            click.echo(f"  {outcome.period}: {problem.code}: {problem.message}", err=True)
    if as_json:
        click.echo(json.dumps({"history": rows}, indent=1))
    else:
        for row in rows:
            click.echo(
                f"{row['period']}: {row['status']} for comparison alone, {row['lines']:,} lines."
            )
    return NEEDS_PERSON if left_out else 0


def _say(utility: str, outcome: ImportOutcome) -> None:
    counted = f"{outcome.accounts:,} accounts, {outcome.movements:,} transactions"
    if outcome.status == "unchanged":
        click.echo(
            f"{utility}: this export of {outcome.period} was imported before; nothing has changed "
            f"({counted})."
        )
        return
    click.echo(f"{utility}: {outcome.status} period {outcome.period}: {counted}.")


def _problems(office: Office, period: str) -> list[tuple[str, str, str]]:
    """Return what could not be read; what a close found when it split the bills is not of it."""
    import sqlalchemy as sa

    from database.tables import problem
    from splitter.runs.records import SPLIT_PROBLEMS

    with office.database.reading() as books:
        rows = books.execute(
            sa.select(problem.c.account, problem.c.code, problem.c.message)
            .where(problem.c.period == period, problem.c.code.not_in(SPLIT_PROBLEMS))
            .order_by(problem.c.line)
        )
        return [(row.account, row.code, row.message) for row in rows]
