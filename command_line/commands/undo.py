"""`billclose undo`: a close taken back, as far as it can be."""

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
    ask,
    in_words,
    json_option,
    open_office,
    say_time,
)
from domain.words import say_count

if TYPE_CHECKING:
    from corrections.undo.looking import UndoPlan
    from office.equipment.office import Office
    from office.procedures.corrections.undoing import UndoAnswer


@click.command()
@click.argument("period")
@click.option("--yes", is_flag=True, help="Take it back without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what would be taken back, and what not.")
@click.option("--printed", is_flag=True, help="The print batches are with the printer already.")
@click.option(
    "--reason",
    callback=in_words,
    metavar="TEXT",
    help="Why; audited. Asked for where you are asked for the yes.",
)
@as_of_option
@json_option
@click.pass_obj
def undo(
    home: Path,
    period: str,
    yes: bool,
    dry_run: bool,
    printed: bool,
    reason: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Take the close of PERIOD back: first shown, then done after a yes.

    Balances, visibility, payments not drawn, mail not sent and print batches not fetched go back;
    what was drawn and mailed stands, and is told with what will be done about it. The period may
    then be closed again, with another export. Refused once undo.days have passed, or where a
    later close of one of its accounts stands.
    """
    from office.procedures.corrections import undoing

    office = open_office(home, as_of)
    if undoing.finish(office, period):
        return _tell_before(period, as_json=as_json)
    plan = _look(office, period, printed=printed, as_json=as_json)
    if not as_json:
        click.echo("\n".join(to_lines(plan, say_time(office, plan.closed_at))))
        for one in undoing.said_so_far(office, plan):
            why = f": {one.reason}" if one.reason else ""
            click.echo(f"{one.who} said yes to it {say_time(office, one.at)}{why}")
    if dry_run or not (yes or (not as_json and ask(f"  Take the close of {period} back?"))):
        if as_json:
            click.echo(json.dumps(_document("shown", plan), indent=1))
        elif not dry_run:
            where = " --printed, where the printer has it" if plan.print_files else ""
            click.echo(
                f"Nothing was changed. To do it: {office.command} undo {period} --yes{where}"
            )
        return DONE
    if not yes and not reason:
        reason = click.prompt("  Why? It is audited", err=True)
    return _tell(office, undoing.undo(office, period, reason or "", printed=printed), as_json)


def _look(office: Office, period: str, *, printed: bool, as_json: bool) -> UndoPlan:
    """Return what would be taken back; a refusal lists first what stands and what is done then."""
    from corrections.undo.looking import UndoRefused, say_what_is_done_instead
    from office.procedures.corrections import undoing

    try:
        return undoing.look(office, period, printed=printed)
    except UndoRefused as refused:
        if not as_json:
            instead = say_what_is_done_instead(refused.plan)
            click.echo("\n".join(["Cannot be taken back:", *(f"  - {line}" for line in instead)]))
        raise


def to_lines(plan: UndoPlan, closed_at: str) -> list[str]:
    """Say what an undo takes back, what stands, and until when it can be done."""
    from corrections.undo.looking import say_taken_back, say_what_stands

    stands = say_what_stands(plan) or ["nothing: no payment was drawn and no mail has left"]
    return [
        f"The close of {plan.period} of {closed_at} by {plan.closed_by} can "
        f"be taken back until {plan.last_day}.",
        "Would be taken back:",
        *(f"  - {line}" for line in say_taken_back(plan)),
        "Cannot be taken back:",
        *(f"  - {line}" for line in stands),
    ]


def _document(status: str, plan: UndoPlan, **more: Any) -> dict[str, Any]:
    from corrections.undo.looking import to_figures

    return {"status": status, **to_figures(plan), **more}


def _tell(office: Office, answer: UndoAnswer, as_json: bool) -> int:
    plan, people = answer.plan, list(answer.approved_by)
    status = "undone" if answer.is_done else "waiting"
    if as_json:
        figures = _document(status, plan, approved_by=people, missing=answer.missing)
        click.echo(json.dumps(figures, indent=1))
    elif answer.is_done:
        click.echo(
            f"{plan.period} is not closed any more. To close it again: correct the export, then "
            f"{office.command} close BUNDLE"
        )
    else:
        click.echo(
            f"Approved by {', '.join(people)}; {say_count(answer.missing, 'other person')} has to "
            f"say yes too: {office.command} undo {plan.period} --yes. Nothing was changed."
        )
    return DONE if answer.is_done else NEEDS_PERSON


def _tell_before(period: str, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"status": "undone", "period": period, "already": True}, indent=1))
    else:
        click.echo(f"{period} was taken back before, and is not closed.")
    return DONE
