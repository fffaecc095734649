"""`billclose retry-postings`: what was taken and is not in cash receipting."""

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
from command_line.working import telling_steps
from domain.failures import Misuse

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command(name="retry-postings")
@click.option("--now", "at_once", is_flag=True, help="All that waits, and try a silent service.")
@click.option("--again", metavar="KEY", help="Try a refused posting again; needs --reason.")
@click.option(
    "--by-hand", metavar="KEY", help="You entered it yourself; needs --receipt, --reason."
)
@click.option("--receipt", metavar="NUMBER", help="Cash receipting's number of it.")
@click.option("--reason", metavar="TEXT", help="Why; audited.")
@even_if_nothing_option
@as_of_option
@json_option
@click.pass_obj
def retry_postings(
    home: Path,
    at_once: bool,
    again: str | None,
    by_hand: str | None,
    receipt: str | None,
    reason: str | None,
    even_if_nothing: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Post in cash receipting what was taken and is not there; charges nobody.

    KEY is a posting's key or the payment's confirmation number. Exit status 4 while something is
    not posted.
    """
    office = open_office(home, as_of)
    _ = office.cash_receipting  # what is missing in the settings is said at once
    if by_hand:
        _enter_by_hand(office, by_hand, receipt, reason)
    elif receipt:
        raise Misuse("--receipt needs --by-hand KEY.")
    if again:
        _try_again(office, again, reason)
    if reason and not (again or by_hand):
        raise Misuse("--reason needs --again KEY or --by-hand KEY.")
    asked = at_once or again or by_hand or even_if_nothing
    figures = (None if asked else _look(office)) or _post(office, at_once)
    if as_json:
        click.echo(json.dumps({"status": "done", **figures}, indent=1))
    else:
        click.echo("\n".join(_lines(office, figures)))
    return NEEDS_PERSON if figures["unposted"] else DONE


def _look(office: Office) -> dict[str, Any] | None:
    from office.rounds.quiet.money import quiet_postings

    return quiet_postings(office)


def _post(office: Office, at_once: bool) -> dict[str, Any]:
    from office.prefect_server.flow_runs import run_flow

    def load() -> Any:
        from flows.retry_postings import retry_postings as flow

        return flow

    state = run_flow(telling_steps(office), load, now=at_once)
    figures: dict[str, Any] = state.result(raise_on_failure=False)
    return figures


def _try_again(office: Office, written: str, reason: str | None) -> None:
    from cash_receipting.rejected_postings import to_key, try_again

    key = to_key(office.database, written)
    try_again(office.database, key, _required(reason), now=office.due_now(), who=office.who)


def _enter_by_hand(office: Office, written: str, receipt: str | None, reason: str | None) -> None:
    from cash_receipting.rejected_postings import post_by_hand, to_key

    if not receipt or not receipt.strip():
        raise Misuse("--by-hand needs --receipt NUMBER: cash receipting's number of it.")
    key = to_key(office.database, written)
    post_by_hand(
        office.database,
        key,
        receipt.strip(),
        _required(reason),
        now=office.due_now(),
        who=office.who,
    )


def _required(reason: str | None) -> str:
    if not reason or not reason.strip():
        raise Misuse("--again and --by-hand need --reason TEXT: it is audited.")
    return reason


def _lines(office: Office, figures: dict[str, Any]) -> list[str]:
    lines = [f"{figures['sentence'][:1].upper()}{figures['sentence'][1:]}."]
    if figures["unposted"]:
        lines.append(f"  which    {office.command} list pending-payments")
    if figures["stopped_by"]:
        lines.append("  service  ask IT to restart the cash-receipting service; nothing is lost")
    return lines
