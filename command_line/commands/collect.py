"""`billclose collect`: the scheduled payments that are due."""

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
    despite_option,
    despite_stale_option,
    even_if_nothing_option,
    json_option,
    open_office,
)
from command_line.working import telling_steps
from domain.money import ZERO, Money
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office


Figures = dict[str, Any]
STEPS = {"looked_up": "looked up", "events": "earlier", "settlements": "paid out"}
QUIET = ("nothing to look up", "0 payments returned", "0 payouts, $0.00")


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be drawn; draw nothing.")
@despite_option
@despite_stale_option
@even_if_nothing_option
@as_of_option
@json_option
@click.pass_obj
def collect(
    home: Path,
    dry_run: bool,
    despite_stuck_postings: str | None,
    despite_stale_balances: str | None,
    even_if_nothing: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Draw the scheduled payments that are due, and post them.

    What is in doubt is looked up first and never asked for blindly. Exit status 4 where a payment
    is unknown or not posted, or the gateway is down; run it again later.
    """
    office = open_office(home, as_of)
    gateway = office.gateway  # what is missing in the settings is said at once
    if dry_run:
        return _show_what_is_due(office, as_json=as_json)
    despite = (despite_stuck_postings, despite_stale_balances)
    asked = even_if_nothing or any(despite)
    figures = (None if asked else _quiet(office)) or _collect(office, *despite)
    figures |= {"gateway": gateway.name}
    needs_person = _needs_person(figures)
    if as_json:
        status = "needs-person" if needs_person else "done"
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(office, figures)))
    return NEEDS_PERSON if needs_person else DONE


def _quiet(office: Office) -> Figures | None:
    from office.rounds.quiet.money import quiet_collecting

    return quiet_collecting(office)


def _collect(office: Office, despite: str | None, despite_stale: str | None) -> Figures:
    from office.prefect_server.flow_runs import run_flow

    def load() -> Any:
        from flows.collect_autopay import collect_autopay as flow

        return flow

    worker = telling_steps(office)
    state = run_flow(
        worker, load, despite_stuck_postings=despite, despite_stale_balances=despite_stale
    )
    figures: Figures = state.result(raise_on_failure=False)
    return figures


def _needs_person(figures: Figures) -> bool:
    counts = [figures[name]["count"] for name in ("unknown", "unposted", "drawn_twice")]
    alarms = [figures["events"]["alarms"], len(figures["settlements"]["differences"])]
    steps = (figures, figures["looked_up"], figures["events"], figures["settlements"])
    return any(counts) or any(alarms) or any(step["stopped_by"] for step in steps)


def _lines(office: Office, figures: Figures) -> list[str]:
    sentence = figures["sentence"]
    lines = [f"{sentence[:1].upper()}{sentence[1:]}."]
    for step in ("looked_up", "events", "settlements"):
        if figures[step]["sentence"] not in QUIET:
            lines.append(f"  {STEPS[step]:<12}{figures[step]['sentence']}")
    lines.append(f"  {'balances':<12}{figures['balances']}")
    for one in figures["settlements"]["differences"]:
        amount = Money.parse(one["amount"]).dollars()
        lines.append(
            f"  difference  {one['item']}: {one['difference']}, {amount}; once settled: "
            f"{office.command} deposits settle {one['item']} --reason TEXT"
        )
    open_ones = {
        "unknown": f"asked for without an answer: {office.command} unknown",
        "drawn_twice": f"drawn beside another one, give it back: {office.command} unknown",
        "unposted": f"not in cash receipting: {office.command} retry-postings --now",
    }
    for name, hint in open_ones.items():
        found = figures[name]
        if found["count"]:
            amount = Money.parse(found["amount"]).dollars()
            lines.append(f"  {name.replace('_', ' '):<12}{found['count']:,}, {amount}, {hint}")
    return lines


def _show_what_is_due(office: Office, *, as_json: bool) -> int:
    """Decide with the same code, and write, ask and send nothing."""
    from payments.collecting.claiming import preview_due

    now = office.due_now()
    due, reasons, amount = 0, dict[str, int](), ZERO
    for _, decision in preview_due(office.database, now, office.autopay_terms):
        if isinstance(decision, Money):
            due, amount = due + 1, amount + decision
        else:
            reasons[decision] = reasons.get(decision, 0) + 1
    if as_json:
        drawn = {"count": due, "amount": str(amount)}
        click.echo(
            json.dumps({"status": "dry-run", "drawn": drawn, "not_drawn": reasons}, indent=1)
        )
        return DONE
    click.echo(f"{say_count(due, 'payment')} would be drawn, {amount.dollars()}.")
    for reason, count in sorted(reasons.items()):
        click.echo(f"  {reason:<18}{count:,} would not be drawn")
    return DONE
