"""`billclose process-bounces`: the mails that came back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.closing import replace_office
from command_line.opening import as_of_option, json_option, open_office
from command_line.printing import part_lines
from command_line.statuses import DONE, NEEDS_PERSON

if TYPE_CHECKING:
    from office.wiring import Office

NEWS = ("hard", "soft", "unknown")


@click.command(name="process-bounces")
@as_of_option
@json_option
@click.pass_obj
def process_bounces(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """Read the mails that came back; print the bills that no mailbox took.

    A delivery that came back has failed; an address that is gone is written to no more; a bill
    that reached nobody goes into the period's next print batch, one a day.
    """
    from command_line.prefect_run import run_flow

    office = open_office(home, as_of)
    _ = office.inbox  # what is missing in the settings is said at once
    state = run_flow(replace_office(office), _load)
    figures: dict[str, Any] = state.result(raise_on_failure=False)
    if as_json:
        click.echo(json.dumps({"status": "done", **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(office, figures)))
    is_new = any(figures["counts"][name] for name in NEWS)
    return NEEDS_PERSON if is_new or figures["waiting"] or figures["parts"] else DONE


def _load() -> Any:
    from flows.process_bounces import process_bounces as flow

    return flow


def _lines(office: Office, figures: dict[str, Any]) -> list[str]:
    counts = figures["counts"]
    lines = [f"{figures['sentence'][:1].upper()}{figures['sentence'][1:]}."]
    if counts["policy"]:
        lines.append(
            f"  policy   {counts['policy']:,} refused by a mail server's policy (5.7): the "
            "addresses are right; ask whoever runs your mail server"
        )
    if counts["unknown"]:
        lines.append(
            f"  unknown  {counts['unknown']:,} for a person to judge: {office.command} bounces list"
        )
    if counts["suppressed"]:
        lines.append(
            f"  rest     {counts['suppressed']:,} written to no more: {office.command} bounces list"
        )
    if counts["answers"]:
        lines.append(f"  ignored  {counts['answers']:,} automatic answers")
    if counts["left"]:
        lines.append(f"  left     {counts['left']:,} of mails that are being sent right now")
    return lines + part_lines(figures)
