"""`billclose approve`, `refuse` and `approvals`: a person's yes or no to a close."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    say_time,
)
from command_line.outcomes.close import say_findings
from command_line.waivers import to_waivers, waiver_options
from domain.approvals import Decision

if TYPE_CHECKING:
    from office.equipment.office import Office
    from office.procedures.closing.approval import PendingApproval


def to_figures(asked: PendingApproval) -> dict[str, Any]:
    """Write a question and how it stands down for programs."""
    from reporting.run_sheet.findings import findings_figures

    standing, request = asked.standing, asked.request
    refusal = standing.refusal
    return {
        "period": request.period,
        "request": request.number,
        "asked_at": request.asked_at.isoformat(),
        "asked_by": request.asked_by,
        "approved_by": list(standing.approved_by),
        "missing": 0 if standing.is_approved else standing.missing,
        "refused_by": refusal and {"who": refusal.who, "reason": refusal.reason},
        "blocking": list(asked.blocking),
        "figures": asked.figures,
        "digest": request.digest,
        "checklist": [line.to_json() for line in asked.sheet.checklist],
        "findings": findings_figures(asked.sheet.findings),
    }


def to_lines(office: Office, asked: PendingApproval) -> list[str]:
    """Say what waits, and what to type for a yes and a no."""
    from reporting.report.approval_request import say_figures
    from reporting.report.findings_text import checklist_lines, findings_lines

    period, standing = asked.request.period, asked.standing
    lines = [f"{period}  {asked.sheet.utility}: {say_figures(asked.figures)}"]
    asked_at = say_time(office, asked.request.asked_at)
    lines.append(f"  asked     {asked_at} for {asked.request.asked_by}")
    if standing.approved_by:
        lines.append(f"  approved  by {', '.join(standing.approved_by)}; another person has to")
    command = f"{office.command} approve {period}"
    if asked.blocking:
        lines.append(f"  blocked   by {', '.join(asked.blocking)}: correct the export, or waive")
        waived = " ".join(f"--waive {name}" for name in asked.blocking)
        command += f" {waived} --reason TEXT"
    if asked.drift:
        lines.append(f"  moved     {asked.drift}")
    return [
        *lines,
        *(f"  {line}" for line in findings_lines(asked.sheet.findings)),
        *(f"  {line}" for line in checklist_lines(asked.sheet.checklist)),
        f"  yes       {command}",
        f"  no        {office.command} refuse {period} --reason TEXT",
    ]


@click.command()
@click.argument("period")
@waiver_options
@as_of_option
@json_option
@click.pass_obj
def approve(
    home: Path,
    period: str,
    waive: tuple[str, ...],
    reason: tuple[str, ...],
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Say yes to the close of PERIOD, as it is staged now; whoever runs the close goes on.

    What the checks found and the checklist stand above the answer; `approvals` shows them before.
    A run that waits in the Prefect server goes on by itself. Exit status 4: another person has to
    approve too.
    """
    waivers = to_waivers(waive, reason) if waive else {}
    said = reason[0] if reason and not waive else ""
    office = open_office(home, as_of)
    asked = _decide(office, period, Decision.APPROVE, said, waivers)
    return _tell(asked, _approved_sentence(office, asked), as_json=as_json)


@click.command()
@click.argument("period")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def refuse(home: Path, period: str, reason: str, as_of: datetime | None, as_json: bool) -> int:
    """Say no to the close of PERIOD: it is refused until the export is corrected, or approved."""
    office = open_office(home, as_of)
    asked = _decide(office, period, Decision.REFUSE, reason, {})
    _wake(office, asked)
    sentence = f"{period} is refused by {office.who}; correct the export and close again."
    if as_json:
        click.echo(json.dumps(to_figures(asked), indent=1))
    else:
        click.echo(sentence)
    return DONE


@click.command()
@json_option
@click.pass_obj
def approvals(home: Path, as_json: bool) -> int:
    """Show which periods wait for a yes, with what would happen. Exit status 4: some do."""
    office = open_office(home)
    waiting = _list_waiting(office)
    if as_json:
        click.echo(json.dumps({"approvals": [to_figures(one) for one in waiting]}, indent=1))
    elif waiting:
        click.echo("\n".join(line for one in waiting for line in to_lines(office, one)))
    else:
        click.echo("No period waits for a yes.")
    return NEEDS_PERSON if waiting else DONE


def _decide(
    office: Office, period: str, decision: Decision, reason: str, waivers: Mapping[str, str]
) -> PendingApproval:
    """Take the decision while nobody works on the period; a yes said twice is said once."""
    from office.equipment.locking import working_on
    from office.procedures.closing.approval import ask, decide, require_answerable

    require_answerable(office, period)
    with working_on(office, period):
        require_answerable(office, period)
        asked = ask(office, period)
        if decision is Decision.APPROVE and asked.standing.is_approved:
            return asked
        if decision is Decision.APPROVE:
            say_findings(asked.sheet)  # what the yes is about, before a guard may refuse it
        return decide(office, asked, decision, who=office.who, reason=reason, waivers=waivers)


def _approved_sentence(office: Office, asked: PendingApproval) -> str:
    from reporting.report.approval_request import say_figures

    period = asked.request.period
    said = ", ".join(asked.standing.approved_by)
    sentence = f"{period} is approved by {said}: {say_figures(asked.figures)}."
    if not asked.standing.is_approved:
        return f"{sentence} Another person has to approve it too: {office.command} approve {period}"
    if _wake(office, asked):
        return f"{sentence} The run that waits in Prefect goes on."
    return f"{sentence} To close it: {office.command} close {period}"


def _wake(office: Office, asked: PendingApproval) -> bool:
    from office.prefect_server.runs import wake

    return wake(office, asked.request.flow_run)


def _tell(asked: PendingApproval, sentence: str, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(to_figures(asked), indent=1))
    else:
        click.echo(sentence)
    return DONE if asked.standing.is_approved else NEEDS_PERSON


def _list_waiting(office: Office) -> list[PendingApproval]:
    """Return what can be answered now: ready, or stopped by checks that may be waived."""
    import sqlalchemy as sa

    from database.tables import bill_run
    from domain.runs import RunState

    query = sa.select(bill_run.c.period).where(
        bill_run.c.state.in_((RunState.WAITING, RunState.REFUSED))
    )
    with office.database.reading() as books:
        runs = books.execute(query.order_by(bill_run.c.period)).scalars().all()
    if not runs:
        return []
    from office.procedures.closing.approval import find_asked

    found = [find_asked(office, period) for period in runs]
    return [one for one in found if one is not None and _waits(one)]


def _waits(asked: PendingApproval) -> bool:
    return asked.standing.refusal is None and not asked.standing.is_approved
