"""`billclose correct`: one closed bill replaced by a corrected one."""

from __future__ import annotations

import json
from dataclasses import replace
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
    reason_option,
    say_done,
)

if TYPE_CHECKING:
    from office.procedures.corrections.correcting import CorrectionDone


@click.command()
@click.argument("account")
@click.option("--period", required=True, metavar="PERIOD", help="Of the bill that is wrong.")
@click.option(
    "--bundle",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A small export with the corrected bill: a folder or .zip.",
)
@reason_option
@click.option("--dry-run", is_flag=True, help="Show what it would be; change and send nothing.")
@as_of_option
@json_option
@click.pass_obj
def correct(
    home: Path,
    account: str,
    period: str,
    bundle: Path,
    reason: str,
    dry_run: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Replace the closed bill of ACCOUNT by a corrected one out of a small export.

    The balance moves by the difference, the scheduled payment follows, a mail marked as a
    corrected bill says what changed, and who is on paper gets it on paper. What was drawn is not
    drawn again. Run again after any interruption it goes on where it was.
    """
    from office.procedures.corrections.correcting import correct as correct_bill
    from office.procedures.corrections.correcting import look

    office = open_office(home, as_of)
    if dry_run:
        _show(look(office, account, period, bundle), as_json=as_json)
        return DONE
    done = correct_bill(office, account, period, bundle, reason)
    if as_json:
        click.echo(json.dumps(to_figures(done), indent=1))
    else:
        click.echo("\n".join(to_lines(done)))
    return NEEDS_PERSON if done.unsent else DONE


def _show(would_be: CorrectionDone, *, as_json: bool) -> None:
    lines = (f"  - {line}" for line in to_lines(replace(would_be, mails={})))  # none is queued
    figures = to_figures(would_be) | {"status": "dry-run"}
    say_done(as_json, figures, "Nothing was changed. It would be:", *lines)


def to_figures(done: CorrectionDone) -> dict[str, Any]:
    """Return a correction as the JSON document that tells of it."""
    made = done.correction
    return {
        "status": "needs-person" if done.unsent else "done",
        "period": made.period,
        "account": made.account,
        "correction": made.number,
        "already": made.already,
        "amount_before": str(made.amount_before),
        "amount_due": str(made.amount_due),
        "difference": str(made.difference),
        "due_date_before": made.due_before.isoformat(),
        "due_date": made.due_on.isoformat(),
        "open": str(made.open_balance),
        "deliveries": {status.value: number for status, number in sorted(done.mails.items())},
        "paper": done.on_paper,
        "print_files": list(done.print_files),
        "said": list(made.said),
        "notes": list(done.notes),
    }


def to_lines(done: CorrectionDone) -> list[str]:
    """Say what a correction did, for a clerk."""
    made = done.correction
    again = " (made before; what was left of it is done now)" if made.already else ""
    lines = [
        f"Bill of {made.account}, {made.period}: {made.amount_due.dollars()} due {made.due_on} "
        f"instead of {made.amount_before.dollars()} due {made.due_before}{again}.",
        f"Open now: {made.open_balance.dollars()}.",
        *made.said,
        *(f"Note: {note}" for note in done.notes),
    ]
    if done.print_files:
        lines.append(f"Print: {', '.join(done.print_files)}")
    if done.unsent:
        lines.append(
            f"{done.unsent} of its mails have not left; `billclose mail send` tries again."
        )
    return lines
