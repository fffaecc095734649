"""`billclose audit`: proving that the audit list is as it was written."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    say_done,
)
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from database.audit import Anchor, ChainVerdict


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

    Add up what every account owes again from its entries, too.

    Exit status 4 where there is one. Note the last line down elsewhere: with --expect it also
    proves later that the end is still there.
    """
    from database.audit import verify_audit
    from database.ledger.entries import find_wrong_sums

    expected = None if expect is None else _to_anchor(expect)
    office = open_office(home)
    with office.database.reading() as books:
        verdict = verify_audit(books, expected)
        wrong = find_wrong_sums(books)
    if as_json:
        figures = _to_figures(verdict) | {"wrong_balances": wrong}
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo("\n".join(_lines(verdict)))
    if wrong:
        click.echo(
            f"billclose: The balance of {', '.join(wrong)} is not the sum of its entries; keep "
            "the database as it is, and compare it with your newest backup.",
            err=True,
        )
    if verdict.fault is None:
        return NEEDS_PERSON if wrong else DONE
    click.echo(
        f"billclose: The audit list is not as it was written: {verdict.fault.message}; "
        "keep the database as it is, and compare it with your newest backup.",
        err=True,
    )
    return NEEDS_PERSON


def _to_anchor(text: str) -> Anchor:
    from database.audit import Anchor

    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise Misuse("--expect is NUMBER:HASH, as an earlier `audit verify` printed it.")
    return Anchor(int(found[1]), found[2])


def _to_figures(verdict: ChainVerdict) -> dict[str, object]:
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


def _lines(verdict: ChainVerdict) -> list[str]:
    sound = say_count(verdict.rows, "row")
    if verdict.fault is not None:
        return [f"{sound} sound, then {verdict.fault.kind} at row {verdict.fault.number}."]
    if not verdict.rows:
        return ["The audit list is empty."]
    return [f"The audit list is sound: {sound}.", str(verdict.newest)]


@click.command(name="auditors-pack")
@click.argument("period")
@click.option(
    "--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The zip to write; only you can read it.",
)  # fmt: skip
@as_of_option
@json_option
@click.pass_obj
def auditors_pack(
    home: Path, period: str, file: Path, as_of: datetime | None, as_json: bool
) -> int:
    """Write report, checks, waivers, approvals, audit rows and hashes of all bills of PERIOD.

    The report holds account numbers and no names; mind all the same who gets the file.
    """
    from office.procedures.closing.packing import note_pack, pack_of
    from reporting.documents.auditors_pack import write_pack

    office = open_office(home, as_of)
    _require_place(file)
    members = pack_of(office, period)
    write_pack(file, members)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    note_pack(office, period, digest)
    say_done(
        as_json,
        {"period": period, "file": str(file), "files": len(members), "sha256": digest},
        f"{file}: {say_count(len(members), 'file')} about {period}, sha256 {digest}",
    )
    return 0


def _require_place(file: Path) -> None:
    if not file.parent.is_dir():
        raise Misuse(f"There is no folder {file.parent}; make it, or choose another --to.")
