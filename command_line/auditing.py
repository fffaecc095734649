"""`billclose audit`: proving that the audit list is as it was written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.opening import json_option, open_office
from command_line.statuses import DONE, NEEDS_PERSON
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from database.verifying import Anchor, Verdict

_ANCHOR = re.compile(r"([1-9]\d*):([0-9a-f]{64})")


@click.group()
def audit() -> None:
    """The audit list: `billclose list audit` shows it, `audit verify` proves it."""


@audit.command()
@click.option(
    "--expect",
    metavar="NUMBER:HASH",
    help="What an earlier `audit verify` printed: finds an end that was cut off.",
)
@json_option
@click.pass_obj
def verify(home: Path, expect: str | None, as_json: bool) -> int:
    """Find the first row of the audit list that was changed, taken out, put in or moved.

    Exit status 4 where there is one. Note the last line down elsewhere: with --expect it also
    proves later that the end is still there.
    """
    from database.verifying import verify_audit

    expected = None if expect is None else _to_anchor(expect)
    office = open_office(home)
    with office.database.reading() as books:
        verdict = verify_audit(books, expected)
    if as_json:
        click.echo(json.dumps(_to_figures(verdict), indent=1))
    else:
        click.echo("\n".join(_lines(verdict)))
    if verdict.fault is None:
        return DONE
    click.echo(
        f"billclose: The audit list is not as it was written: {verdict.fault.message}; "
        "keep the database as it is, and compare it with your newest backup.",
        err=True,
    )
    return NEEDS_PERSON


def _to_anchor(text: str) -> Anchor:
    from database.verifying import Anchor

    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise Misuse("--expect is NUMBER:HASH, as an earlier `audit verify` printed it.")
    return Anchor(int(found[1]), found[2])


def _to_figures(verdict: Verdict) -> dict[str, object]:
    fault = verdict.fault
    return {
        "status": "sound" if fault is None else "tampered",
        "rows": verdict.rows,
        "newest": {"number": verdict.newest.number, "hash": verdict.newest.hash},
        "anchor": str(verdict.newest),
        "fault": None
        if fault is None
        else {"number": fault.number, "kind": fault.kind, "message": fault.message},
    }


def _lines(verdict: Verdict) -> list[str]:
    sound = say_count(verdict.rows, "row")
    if verdict.fault is not None:
        return [f"{sound} sound, then {verdict.fault.kind} at row {verdict.fault.number}."]
    if not verdict.rows:
        return ["The audit list is empty."]
    return [f"The audit list is sound: {sound}.", str(verdict.newest)]
