"""`billclose replay`: past months closed once more, beside what the office did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import DONE, NEEDS_PERSON, json_option, open_office
from command_line.waivers import to_waivers, waiver_options
from command_line.working import telling_steps
from domain.failures import NobodyMailed, Refused
from domain.words import say_count

if TYPE_CHECKING:
    from domain.past_outcomes import OutcomeDifference
    from office.equipment.office import Office
    from office.procedures.closing.replaying import PastExport, ReplayedMonth

SHOWN = 20  # differences of a month on the screen; --json has them all
NAMES = {"mail": "mails", "paper": "bills on paper", "draft": "drafts"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="What the office did: a folder for each period, with mails.csv, paper.csv, drafts.csv.",
)
@waiver_options
@json_option
@click.pass_obj
def replay(
    home: Path,
    folder: Path,
    against: Path,
    waive: tuple[str, ...],
    reason: tuple[str, ...],
    as_json: bool,
) -> int:
    """Close the past months whose exports lie in FOLDER once more, in rehearsals, and compare.

    Each line in which the office's real outcome differs is shown: who got a mail, a bill on paper,
    a draft. Nothing is kept, sent or drawn. Exit status 4 where something differs.
    """
    from office.procedures.closing.replaying import (
        find_months_without_export,
        find_past_exports,
    )

    waivers = to_waivers(waive, reason)
    office = open_office(home)
    months = find_past_exports(office, folder, against)
    without = find_months_without_export(months, against)
    replayed = []
    for number, month in enumerate(months):
        replayed.append(_replay(office, month, months[:number], waivers))
        if not as_json:
            _say(replayed[-1])
    if as_json:
        told = {"status": _status(replayed), "months": [*map(_to_json, replayed)]}
        click.echo(json.dumps(told | {"without_export": [*without]}))
    elif len(replayed) > 1:
        _say_in_all(replayed)
    if without and not as_json:
        click.echo(f"not replayed, no export of it is in {folder}: {', '.join(without)}")
    return DONE if _status(replayed) == "alike" else NEEDS_PERSON


def _replay(
    office: Office, month: PastExport, before: list[PastExport], waivers: dict[str, str]
) -> ReplayedMonth:
    from office.prefect_server.flow_runs import run_flow
    from office.procedures.closing.replaying import compare_month, replay_office

    refusal = ""
    with replay_office(office, month, before) as copy:
        worker = telling_steps(copy, lambda _sheet: True)
        period = month.export.period.id
        try:
            run_flow(
                worker, _load, period=period, bundle=str(month.bundle.resolve()), waivers=waivers
            )
        except NobodyMailed:  # it would close, and nobody gets a mail
            refusal = ""
        except Refused as found:
            refusal = found.message
        return compare_month(worker, month, refusal)


def _load() -> Any:
    from data_checks.checking import warm_up
    from flows.close_period import close_period

    warm_up()
    return close_period


def _status(replayed: list[ReplayedMonth]) -> str:
    same = all(not month.refusal and not month.differences for month in replayed)
    return "alike" if same else "differs"


def _say(month: ReplayedMonth) -> None:
    """Say in lines for people what is alike, and each difference up to a screenful."""
    if month.refusal:
        click.echo(f"{month.period} would not be closed: {month.refusal}")
    else:
        told = ", ".join(_counted(month, kind) for kind in NAMES if kind in month.kinds)
        click.echo(f"{month.period}: {told}")
    for one in month.differences[:SHOWN]:
        click.echo(f"  {one.account}  {_in_words(one)}")
    if len(month.differences) > SHOWN:
        click.echo(f"  and {len(month.differences) - SHOWN:,} more: --json has them all")
    untold = [name for kind, name in NAMES.items() if kind not in month.kinds]
    if untold:
        click.echo(f"  not told, and not compared: {', '.join(untold)}")
    for name in month.unread:
        click.echo(f"  not read: {name}")


def _counted(month: ReplayedMonth, kind: str) -> str:
    different = sum(one.kind == kind for one in month.differences)
    alike = sum(number for found, number in month.alike.items() if found == kind)
    return f"{alike:,} {NAMES[kind]} alike" + (f", {different:,} not" if different else "")


def _in_words(one: OutcomeDifference) -> str:
    name = "draft of " if one.kind == "draft" else ""
    ours = f"here {name}{one.ours}" if one.ours else f"here no {one.kind}"
    theirs = f"there {name}{one.theirs}" if one.theirs else f"there no {one.kind}"
    return f"{ours}; {theirs}" + (f" ({one.why})" if one.why else "")


def _say_in_all(replayed: list[ReplayedMonth]) -> None:
    refused = [month.period for month in replayed if month.refusal]
    different = sum(len(month.differences) for month in replayed)
    line = f"{say_count(len(replayed), 'month')}: {say_count(different, 'difference')}"
    click.echo(line + (f"; not closed: {', '.join(refused)}" if refused else ""))


def _to_json(month: ReplayedMonth) -> dict[str, Any]:
    return {
        "period": month.period,
        "refusal": month.refusal or None,
        "alike": {kind: month.alike.get(kind, 0) for kind in sorted(month.kinds)},
        "differences": [
            {
                "kind": one.kind,
                "account": one.account,
                "ours": one.ours or None,
                "theirs": one.theirs or None,
                "why": one.why or None,
            }
            for one in month.differences
        ],
        "not_read": list(month.unread),
    }
