"""What a close says in the end, to people and to programs, and its exit status."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from command_line.options import NEEDS_PERSON, REFUSED
from database.queries.export_notes import note_lines
from domain.failures import Refused
from domain.words import say_count
from reporting.report.findings_text import checklist_lines, findings_lines
from reporting.run_sheet.figures import close_figures

if TYPE_CHECKING:
    from office.equipment.office import Office
    from reporting.run_sheet.run_sheet import RunSheet


def tell(
    office: Office,
    period: str,
    status: str,
    refusal: Refused | None,
    *,
    as_json: bool,
    before: bool,
) -> int:
    """
    Print how a close ended and return the exit status.

    `before` says that it had ended like this already and nothing was done now.
    """
    from database.runs import find_run
    from office.procedures.closing.checklist import current_sheet

    known = find_run(office.database, period)
    sheet = current_sheet(office, period) if known else None
    figures = close_figures(period, status, refusal, sheet)
    figures["mail_waits_for"] = _mail_waits_for(office, sheet)
    if sheet is not None and not before:
        for line in note_lines(sheet.notes):
            click.echo(f"  export   {line}", err=True)
    if refusal is not None:
        click.echo(f"billclose: {refusal.message}", err=True)
    if sheet is not None and (refusal is not None or status in ("dry-run", "waiting")):
        say_findings(sheet)  # nothing where it ended before they were asked
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    elif refusal is None and sheet is not None:
        click.echo("\n".join(_summary(office, sheet, status, before=before)))
    if refusal is not None:
        return REFUSED
    return NEEDS_PERSON if status == "waiting" or _unsent(sheet) else 0


def say_findings(sheet: RunSheet) -> None:
    """Say what the checks found on standard error: what must be done, then what is good to know."""
    for line in findings_lines(sheet.findings) if sheet.checks else ():
        click.echo(f"  {line}", err=True)
    for line in checklist_lines(sheet.checklist) if sheet.checks else ():
        click.echo(f"  {line}", err=True)


def _summary(office: Office, sheet: RunSheet, status: str, *, before: bool) -> list[str]:
    if status == "waiting":
        return [_waiting_line(office, sheet)]
    if before and not _unsent(sheet):
        return [f"{sheet.period} was closed before; nothing to do."]
    lines = [_first_line(sheet, status, before=before), _mail_line(sheet, status)]
    lines.append(_autopay_line(sheet, status))
    if _unsent(sheet):
        lines.append(_unsent_line(office, sheet))
    if sheet.held:
        lines.append(f"  held     {say_count(sheet.held, 'bill')}: see list outsorted")
    if sheet.outsorting.released:
        lines.append(_released_line(sheet))
    if status != "dry-run":
        lines.append(f"  report   {office.home / 'reports' / f'close-{sheet.period}.html'}")
    return lines


def _waiting_line(office: Office, sheet: RunSheet) -> str:
    from office.procedures.closing.approval import find_asked

    asked = find_asked(office, sheet.period)
    said = ", ".join(asked.standing.approved_by) if asked else ""
    line = f"{sheet.utility}: period {sheet.period} is ready and"
    if said:
        another = f"{office.command} approve {sheet.period}"
        return f"{line} approved by {said}; another person has to: {another}"
    return f"{line} waits for a yes: {office.command} close {sheet.period} --yes"


def _first_line(sheet: RunSheet, status: str, *, before: bool) -> str:
    word = "was closed before" if before else "is closed"
    word = "would close" if status == "dry-run" else word
    return (
        f"{sheet.utility}: period {sheet.period} {word}. {say_count(sheet.bills, 'bill')}, "
        f"{sheet.amount_due_total.dollars()}{_of_it_held(sheet)}."
    )


def _of_it_held(sheet: RunSheet) -> str:
    """Say how much of a close's bills and money has not moved, because it is held back."""
    if not sheet.held:
        return ""
    return (
        f"; of it held back: {say_count(sheet.held, 'bill')}, {sheet.outsorting.amount.dollars()}"
    )


def _mail_line(sheet: RunSheet, status: str) -> str:
    words = ("would e-mail", "would print") if status == "dry-run" else ("e-mailed", "printed")
    return (
        f"  {words[0]} {say_count(sheet.deliveries.bills_sent, 'bill')} in "
        f"{say_count(sheet.deliveries.sent, 'mail')}, {words[1]} {sheet.paper.bills:,} on "
        f"{say_count(sheet.paper.pages, 'page')}"
    )


def _autopay_line(sheet: RunSheet, status: str) -> str:
    autopay = sheet.autopay
    word = "would be scheduled" if status == "dry-run" else "scheduled"
    return (
        f"  autopay  {say_count(autopay.scheduled, 'payment')} {word} "
        f"({autopay.amount.dollars()}), {autopay.immediate} due at once, "
        f"{autopay.unscheduled} enrolled without a payment"
    )


def _released_line(sheet: RunSheet) -> str:
    freed = sheet.outsorting
    return f"  released {say_count(freed.released, 'bill')}, {freed.released_amount.dollars()}"


def _unsent(sheet: RunSheet | None) -> int:
    if sheet is None or not sheet.is_closed:
        return 0
    mails = sheet.deliveries
    return mails.failed + mails.deferred + mails.in_doubt + mails.queued


def _unsent_line(office: Office, sheet: RunSheet) -> str:
    mails = sheet.deliveries
    counts = {
        "failed": mails.failed,
        "deferred": mails.deferred,
        "waiting": mails.queued,
        "in doubt": mails.in_doubt,
    }
    words = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    again = f"; run {office.command} close {sheet.period} later to try them again"
    is_tried_again = counts["deferred"] or counts["waiting"]
    why = [f"\n           {reason}" for reason in _mail_waits_for(office, sheet)]
    return (
        f"  unsent   {words}: see {office.command} list exceptions"
        f"{again if is_tried_again else ''}{''.join(why)}"
    )


def _mail_waits_for(office: Office, sheet: RunSheet | None) -> list[str]:
    """Return what keeps mails of a closed period from leaving, the most frequent first."""
    if not _unsent(sheet) or sheet is None:
        return []
    from mail.outbox.decisions import read_outbox_summary

    summary = read_outbox_summary(office.database, sheet.period)
    later = _leaves_later(office, sheet, summary.next_try)
    return [*summary.reasons, *([later] if later else [])]


def _leaves_later(office: Office, sheet: RunSheet, next_try: datetime | None) -> str:
    """Say from when on the bills leave that are kept for a day on which the office works."""
    if not sheet.deliveries.queued or next_try is None or next_try <= office.due_now():
        return ""
    from database.runs import get_run

    local = next_try.astimezone(ZoneInfo(get_run(office.database, sheet.period).timezone))
    return f"the office is closed today; they leave from {local:%Y-%m-%d %H:%M} on"
