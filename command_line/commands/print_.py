"""`billclose print`: the next part of a period's print batches, or lost files once more."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    say_done,
)
from command_line.working import telling_steps
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office

OTHER_BY_NOW = (
    "cannot be written again as it was, and nothing was changed: an address, a bill or a setting "
    "[paper] is another by now. Put it back from a backup, or set [paper] as it was and try again."
)


@click.command(name="print")
@click.argument("period", required=False)
@click.option("--fetched", is_flag=True, help="Print nothing: say that you have the files.")
@click.option("--again", is_flag=True, help="Only write files again that are missing or changed.")
@as_of_option
@json_option
@click.pass_obj
def print_bills(
    home: Path,
    period: str | None,
    fetched: bool,
    again: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Print the bills that came back since the last print batch, of PERIOD or of all periods.

    They come into a file of their own; what was printed before is not printed again. With
    --fetched it is written down that the files of all parts so far are with the printer. With
    --again a file that is missing or changed and not fetched is put back, byte for byte, or not at
    all.
    """
    from database.runs import get_run
    from office.prefect_server.flow_runs import run_flow

    if fetched and again:
        raise Misuse("--again is for files that nobody has fetched; say one of the two.")
    office = open_office(home, as_of)
    if again:
        return _tell_again(office, period, as_json=as_json)
    if fetched:
        return _tell_fetched(office, period, as_json=as_json)
    if period is not None:
        get_run(office.database, period)
    state = run_flow(telling_steps(office), _load, period=period)
    figures: dict[str, Any] = state.result(raise_on_failure=False)
    if as_json:
        click.echo(json.dumps({"status": "done", **figures}, indent=1))
    else:
        click.echo("\n".join(part_lines(figures) or ["Nothing waits for print."]))
    has_faults = any(part["faults"] for part in figures["parts"])
    return NEEDS_PERSON if figures["waiting"] or has_faults else DONE


def _tell_fetched(office: Office, period: str | None, *, as_json: bool) -> int:
    from office.procedures.printing import mark_fetched

    marked = mark_fetched(office, period)
    lines = [f"  fetched  {file}" for file in marked]
    say_done(as_json, {"fetched": marked}, *(lines or ["Nothing waits to be fetched."]))
    return DONE


def _tell_again(office: Office, period: str | None, *, as_json: bool) -> int:
    from office.procedures.printing import write_again

    found = write_again(office, period)
    lines = [f"  written  {file}, as it was" for file in found.files]
    lines += [f"  look     {file} {OTHER_BY_NOW}" for file in found.others]
    figures = {"written": found.files, "others": found.others}
    say_done(as_json, figures, *(lines or ["Every print file lies there as it was written."]))
    return NEEDS_PERSON if found.others else DONE


def part_lines(figures: dict[str, Any]) -> list[str]:
    """Say which parts were written and which bills still wait."""
    lines = [
        f"  print    {say_count(part['bills'], 'bill')} on {say_count(part['pages'], 'page')}: "
        f"{', '.join(part['files'])}"
        for part in figures["parts"]
        if part["bills"]
    ]
    faults = dict.fromkeys(fault for part in figures["parts"] for fault in part["faults"])
    lines += [f"  look     {fault}" for fault in faults]
    return lines + [
        f"  waiting  {say_count(left['bills'], 'bill')} of {left['period']}: {left['why']}"
        for left in figures["waiting"]
    ]


def _load() -> Any:
    from flows.print_bills import print_bills as flow

    return flow
