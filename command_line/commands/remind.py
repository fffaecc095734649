"""`billclose remind`: the payment-due and past-due mails that are owed now."""

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
    despite_option,
    despite_stale_option,
    even_if_nothing_option,
    json_option,
    open_office,
)
from command_line.outcomes.mail import UNSENT, Figures, is_unsent, run_mailing, say_unsent
from command_line.working import telling_steps
from domain.words import say_count

MOST_NAMED = 5  # accounts in a line

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what is owed; record and send nothing.")
@despite_option
@despite_stale_option
@even_if_nothing_option
@as_of_option
@json_option
@click.pass_obj
def remind(
    home: Path,
    dry_run: bool,
    despite_stuck_postings: str | None,
    despite_stale_balances: str | None,
    even_if_nothing: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Send the payment-due and past-due mails that are owed now, each once.

    Meant for every night, after collecting; nights that were missed are made up for. Says when
    collecting is overdue. Exit status 4 where a mail could not be sent.
    """
    office = open_office(home, as_of)
    if dry_run:
        figures = _look(office, despite_stuck_postings, despite_stale_balances)
    else:
        despite = (despite_stuck_postings, despite_stale_balances)
        asked = even_if_nothing or any(despite)
        figures = (None if asked else _quiet(office)) or _remind(office, *despite)
    needs_person = not dry_run and _needs_person(figures)
    if as_json:
        status = "dry-run" if dry_run else "unsent" if needs_person else "done"
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(office, figures, dry_run=dry_run)))
    return NEEDS_PERSON if needs_person else DONE


def _quiet(office: Office) -> Figures | None:
    from office.rounds.quiet.mailing import quiet_reminders

    return quiet_reminders(office)


def _remind(office: Office, despite: str | None, despite_stale: str | None) -> Figures:
    def load() -> Any:
        from flows.remind import remind as flow

        return flow

    return run_mailing(
        telling_steps(office),
        load,
        despite_stuck_postings=despite,
        despite_stale_balances=despite_stale,
    )


def _look(office: Office, despite: str | None, despite_stale: str | None) -> Figures:
    """Decide with the same code, and write and send nothing."""
    from domain.reminders import REMINDERS
    from mail.reminders.exemptions import undrawn
    from mail.reminders.queueing import queue_reminders
    from office.procedures.feeding import find_stale, say_as_of, say_feed
    from office.procedures.mailing.arranging import bring_up_to_date
    from office.procedures.mailing.reminding import to_figures, undrawn_figures
    from office.procedures.posting import require_posted_here

    now = office.due_now()
    if despite is None:
        require_posted_here(office, now)
    stale = find_stale(office, now)
    is_stopped = despite_stale is None and office.settings.feed.when_stale == "stop"
    left_out = frozenset(stale.why) if is_stopped else frozenset()
    terms = replace(office.reminders_terms(now, records=False), left_out=left_out)
    nothing = dict.fromkeys(("sent", *UNSENT), 0)
    found = {
        kind.value: to_figures(queue_reminders(office.database, kind, terms)) | nothing
        for kind in REMINDERS
    }
    overdue = undrawn_figures(undrawn(office.database, now))
    plans = bring_up_to_date(office, left_out, records=False)
    return {
        "reminders": found,
        "arrangements": plans | nothing,
        "collecting_overdue": overdue,
        "balances": say_feed(office, now),
        "as_of": say_as_of(office),
        "left_out": sorted(left_out),
    }


def _needs_person(figures: Figures) -> bool:
    unsent = any(map(is_unsent, figures["reminders"].values()))
    plans = figures["arrangements"]
    return unsent or is_unsent(plans) or bool(plans["broken"]) or bool(figures["stopped_by"])


def _lines(office: Office, figures: Figures, *, dry_run: bool) -> list[str]:
    lines = []
    for kind, counts in figures["reminders"].items():
        told = [f"{counts['owed']:,} owed"]
        told += [f"{counts['queued']:,} would be sent"] if dry_run else [f"{counts['sent']:,} sent"]
        told += say_unsent(counts)
        told += [f"{counts['already_sent']:,} sent before"] if counts["already_sent"] else []
        lines.append(f"{kind:13}" + ", ".join(told))
        lines += [f"{number:>13,}  left out: {why}" for why, number in counts["skipped"].items()]
        lines += [
            f"{found['accounts']:>17,}  by hold {found['hold']} until {found['until']}: "
            f"{found['reason']}"
            for found in counts["holds"]
        ]
    lines += _plan_lines(office, figures["arrangements"])
    overdue = figures["collecting_overdue"]
    if overdue["payments"]:
        lines.append(
            f"Collecting is overdue: {say_count(overdue['payments'], 'payment')} of "
            f"${overdue['amount']} in all were due since {overdue['since']} and are not drawn. "
            f"Their customers get no past-due mail. First: {office.command} collect"
        )
    if figures.get("withdrawn"):
        lines.append(f"{figures['withdrawn']:,} that waited are not owed any more: taken back.")
    if figures.get("stopped_by"):
        lines.append(f"Stopped: {figures['stopped_by']}. Later: {office.command} remind")
    return lines


def _plan_lines(office: Office, plans: Figures) -> list[str]:
    """Say what became of payment arrangements tonight; nothing where nothing did."""
    lines = []
    if plans["queued"] or plans["sent"]:
        told = [f"{plans['queued']:,} new", f"{plans['sent']:,} sent", *say_unsent(plans)]
        lines.append(f"{'arrangement':13}" + ", ".join(told))
    for name, words in (("kept", "paid"), ("broken", "broken"), ("in_force_again", "open again")):
        if plans[name]:
            accounts = ", ".join(plans[name][:MOST_NAMED])
            more = len(plans[name]) - MOST_NAMED
            rest = f" and {more:,} more" if more > 0 else ""
            lines.append(f"{len(plans[name]):>13,}  {words}: {accounts}{rest}")
    if plans["broken"]:
        lines.append(f"              How each stands: {office.command} list arrangements")
    return lines
