"""`billclose notify`: receipts, and words before a draw."""

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
    even_if_nothing_option,
    json_option,
    open_office,
)
from command_line.outcomes.mail import UNSENT, Figures, is_unsent, run_mailing, say_unsent
from command_line.working import telling_steps

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what is owed; record and send nothing.")
@even_if_nothing_option
@as_of_option
@json_option
@click.pass_obj
def notify(
    home: Path, dry_run: bool, even_if_nothing: bool, as_of: datetime | None, as_json: bool
) -> int:
    """Send receipts, and tell of draws to come that no e-bill tells of; each once.

    Meant for every morning, after `collect`. Exit status 4 where a mail could not be sent.
    """
    office = open_office(home, as_of)
    if dry_run:
        figures = _look(office)
    else:
        figures = (None if even_if_nothing else _quiet(office)) or _notify(office)
    unsent = bool(figures["stopped_by"]) or is_unsent(figures)
    if as_json:
        status = "dry-run" if dry_run else "unsent" if unsent else "done"
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(office, figures, dry_run=dry_run)))
    return NEEDS_PERSON if unsent else DONE


def _quiet(office: Office) -> Figures | None:
    from office.rounds.quiet.mailing import quiet_notices

    return quiet_notices(office)


def _notify(office: Office) -> Figures:
    def load() -> Any:
        from flows.send_notices import send_notices as flow

        return flow

    figures = run_mailing(telling_steps(office), load)
    return {name: figures[name] for name in ("notices", "sent", *UNSENT, "stopped_by")}


def _look(office: Office) -> Figures:
    """Decide with the same code, and write and send nothing."""
    from office.procedures.mailing.reminding import look_at_notices

    terms = office.notices_terms(office.due_now(), records=False)
    nothing = dict.fromkeys(("sent", *UNSENT), 0)
    return {"notices": look_at_notices(office.database, terms), **nothing, "stopped_by": ""}


def _lines(office: Office, figures: Figures, *, dry_run: bool) -> list[str]:
    lines = []
    for kind, counts in figures["notices"].items():
        lines.append(f"{kind:18} {counts['queued']:,} {'would be sent' if dry_run else 'new'}")
        lines += [f"{number:>13,}  left out: {why}" for why, number in counts["skipped"].items()]
    if not dry_run:
        told = [f"{figures['sent']:,} sent"]
        told += say_unsent(figures)
        lines.append(", ".join(told))
    if figures["stopped_by"]:
        lines.append(f"Stopped: {figures['stopped_by']}. Later: {office.command} notify")
    return lines
