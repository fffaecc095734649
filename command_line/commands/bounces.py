"""`billclose bounces`: suppressed addresses, and bounces that wait for a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from command_line.commands.print_ import part_lines
from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from command_line.working import telling_steps
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


@click.group()
def bounces() -> None:
    """Show what came back, and write to an address again once it is corrected."""


@bounces.command(name="list")
@json_option
@click.pass_obj
def list_bounces(home: Path, as_json: bool) -> None:
    """List the addresses written to no more, and the bounces that wait for a person."""
    office = open_office(home)
    suppressed = _rows(office, "suppressed-addresses")
    returned = [row for row in _rows(office, "bounces") if row["waits"]]
    complaints = [row for row in returned if row["kind"] == "complaint"]
    waiting = [row for row in returned if row["kind"] != "complaint"]
    if as_json:
        figures = {"suppressed": suppressed, "unknown": waiting, "complaints": complaints}
        click.echo(json.dumps(figures, indent=1))
        return
    _show("Addresses that are written to no more:", suppressed)
    _show("Bounces that wait for a person:", waiting)
    _show("Complaints: these mailboxes get no communications any more:", complaints)
    if not suppressed and not returned:
        click.echo("No address is suppressed, and no bounce waits for a person.")


@bounces.command()
@click.argument("address", required=False)
@click.option("--since", type=click.DateTime(_MOMENTS), help="All suppressed since; local time.")
@click.option("--period", help="All suppressed for a mail of this period.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def lift(
    home: Path,
    address: str | None,
    since: datetime | None,
    period: str | None,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Write to ADDRESS again: somebody has corrected it, or the mailbox is back.

    After a day on which it was the mail server's fault: all at once, by --since or --period.
    """
    office = open_office(home, as_of)
    if bool(address) == bool(since or period):
        raise Misuse("Name one ADDRESS, or give --since DAY or --period PERIOD.")
    accounts = _lift(office, address or "", since, period, reason)
    if as_json:
        figures = {"status": "lifted", "addresses": len(accounts), "accounts": accounts}
        click.echo(json.dumps(figures, indent=1))
        return
    if not address:
        lifted = say_count(len(accounts), "address is", "addresses are")
        click.echo(f"{lifted} written to again, from the next mail on.")
        click.echo(f"What failed goes out again by: {office.command} mail again --failed PERIOD")
        return
    owner = f" (account {accounts[0]})" if accounts[0] else ""
    click.echo(f"The address{owner} is written to again, from the next bill on.")


def _lift(
    office: Office, address: str, since: datetime | None, period: str | None, reason: str
) -> list[str]:
    from database.runs import get_run, newest_timezone
    from mail.recipients.suppressed import lift as lift_suppression
    from mail.recipients.suppressed import lift_many

    now, who = office.moment(), office.who
    if address:
        return [lift_suppression(office.database, address, reason, now=now, who=who)]
    if period:
        get_run(office.database, period)
    zone = ZoneInfo(newest_timezone(office.database))
    begin = None if since is None else since.replace(tzinfo=zone).astimezone(UTC)
    return lift_many(office.database, reason, since=begin, period=period, now=now, who=who)


@bounces.command()
@click.argument("bounce_ids", nargs=-1, required=True, metavar="BOUNCE-ID...")
@click.option("--failed", is_flag=True, help="The mails did not arrive: put the bills on paper.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def settle(
    home: Path,
    bounce_ids: tuple[str, ...],
    failed: bool,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Take bounces that nobody could judge off the list; their ids may be cut short."""
    from mail.bounces.processing import settle_bounces

    office = open_office(home, as_of)
    accounts = settle_bounces(
        office.database,
        bounce_ids,
        reason,
        failed=failed,
        now=office.moment(),
        who=office.who,
    )
    what = "failed" if failed else "settled"
    counts = "counts as failed" if failed else "is settled"
    lines = [
        f"The bounce{f' of account {account}' if account else ''} {counts}." for account in accounts
    ]
    if len(accounts) > 1:
        lines.append(f"{len(accounts):,} bounces {what}.")
    say_done(as_json, {"status": what, "bounces": len(accounts), "accounts": accounts}, *lines)


def _rows(office: Office, name: str) -> list[dict[str, Any]]:
    from reporting.lists.catalog import LISTS
    from reporting.lists.reading import shown_rows

    listing = LISTS[name]
    listed = listing.select().subquery()
    ordered = sa.select(listed).order_by(*(listed.c[column] for column in listing.order))
    with office.database.reading() as books:
        return list(shown_rows(books.execute(ordered)))


def _show(heading: str, rows: list[dict[str, Any]]) -> None:
    from command_line.tables import write_table

    if rows:
        click.echo(heading)
        write_table(list(rows[0]), rows)


NEWS = ("hard", "soft", "unknown", "complaints")


@click.command(name="process-bounces")
@as_of_option
@json_option
@click.pass_obj
def process_bounces(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """Read the mails that came back; print the bills that no mailbox took.

    A delivery that came back has failed; an address that is gone is written to no more; a bill
    that reached nobody goes into the period's next print batch, one a day.
    """
    from office.prefect_server.flow_runs import run_flow

    office = open_office(home, as_of)
    _ = office.inbox  # what is missing in the settings is said at once
    state = run_flow(telling_steps(office), _load)
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
    if counts["complaints"]:
        lines.append(
            f"  spam     {say_count(counts['complaints'], 'customer')} called a mail of ours spam "
            f"and get no communications any more: {office.command} bounces list"
        )
    if counts["answers"]:
        lines.append(f"  ignored  {counts['answers']:,} automatic answers")
    if counts["left"]:
        lines.append(f"  left     {counts['left']:,} of mails that are being sent right now")
    return lines + part_lines(figures)
