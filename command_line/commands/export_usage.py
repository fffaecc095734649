"""`billclose export-usage`: an account's usage records as Excel, by a link in a mail."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import DONE, NEEDS_PERSON, as_of_option, json_option, open_office
from command_line.working import telling_steps
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command(name="export-usage")
@click.argument("account", required=False)
@click.option("--to", metavar="ADDRESS", help="A mailbox that belongs to the account.")
@click.option("--clean", is_flag=True, help="Only delete the files whose link has expired.")
@as_of_option
@json_option
@click.pass_obj
def export_usage(
    home: Path,
    account: str | None,
    to: str | None,
    clean: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Mail a link to the newest 1,000 usage records of ACCOUNT as an Excel file.

    Only a mailbox of the account gets it: its own, a linked portal user's or a cosigner's. The
    link is good for exports.hours.
    """
    if clean == bool(account) or bool(account) != bool(to):
        raise Misuse("Give ACCOUNT and --to ADDRESS, or --clean alone.")
    office = open_office(home, as_of)
    figures = _clean(office) if clean else _export(office, account or "", to or "")
    if as_json:
        click.echo(json.dumps({"status": "done", **figures}, indent=1))
    else:
        click.echo(_say(figures))
    return NEEDS_PERSON if figures.get("stopped_by") else DONE


def _clean(office: Office) -> dict[str, Any]:
    from office.procedures.usage_export import remove_expired

    return {"removed": remove_expired(office, office.due_now())}


def _export(office: Office, account: str, to: str) -> dict[str, Any]:
    from office.prefect_server.flow_runs import run_flow

    def load() -> Any:
        from flows.export_usage import export_usage as flow

        return flow

    worker = telling_steps(office)
    figures: dict[str, Any] = run_flow(worker, load, account=account, to=to).result()
    return figures


def _say(figures: dict[str, Any]) -> str:
    if "removed" in figures:
        return f"{say_count(figures['removed'], 'expired file')} removed."
    return f"{figures['sentence']}; mail: {figures['mail']}. Good until {figures['expires_at']}."
