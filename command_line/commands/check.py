"""`billclose check`: the data checks on what is staged."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from command_line.options import REFUSED, as_of_option, json_option, open_office
from command_line.waivers import to_waivers, waiver_options
from command_line.working import telling_steps
from domain.failures import Refused
from reporting.run_sheet.figures import close_figures


@click.command()
@click.argument("period")
@waiver_options
@as_of_option
@json_option
@click.pass_obj
def check(
    home: Path,
    period: str,
    waive: tuple[str, ...],
    reason: tuple[str, ...],
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Run the data checks on the staged export of PERIOD."""
    from database.runs import get_run
    from office.prefect_server.flow_runs import run_flow
    from office.procedures.closing.checklist import current_sheet
    from reporting.report.findings_text import checklist_lines, findings_lines

    waivers = to_waivers(waive, reason)
    office = open_office(home, as_of)
    get_run(office.database, period)
    refusal = None
    try:
        worker = telling_steps(office)
        run_flow(worker, _load, period=period, waivers=waivers)
    except Refused as found:
        refusal = found
        click.echo(f"billclose: {found.message}", err=True)
    sheet = current_sheet(office, period)
    status = "checked" if refusal is None else "refused"
    if as_json:
        click.echo(json.dumps(close_figures(period, status, refusal, sheet), indent=1))
    else:
        for result in sheet.checks:
            click.echo(f"{result.status:8} {result.severity:9} {result.failed:6}  {result.check}")
        click.echo("")
        for line in (*findings_lines(sheet.findings), *checklist_lines(sheet.checklist)):
            click.echo(line)
    return REFUSED if refusal is not None else 0


def _load() -> Any:
    from data_checks.checking import warm_up
    from flows.check_period import check_period

    warm_up()
    return check_period
