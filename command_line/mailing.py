"""`billclose mail`: how the outbox stands, sending what is due, deciding about single mails."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.opening import as_of_option, json_option, open_office, reason_option
from command_line.statuses import NEEDS_PERSON
from domain.failures import Misuse, NobodyMailed
from domain.words import say_count

if TYPE_CHECKING:
    from mail.correcting import Corrected, Decision
    from mail.standing import Standing
    from office.wiring import Office


@click.group()
def mail() -> None:
    """Look into the outbox, send what is due, decide about single mails."""


@mail.command()
@click.argument("period", required=False)
@json_option
@click.pass_obj
def status(home: Path, period: str | None, as_json: bool) -> int:
    """Show how the mails of PERIOD stand, or of all periods: how many, what waits, and why."""
    from database.runs import get_run
    from mail.standing import read_standing

    office = open_office(home)
    if period is not None:
        get_run(office.database, period)
    standing = read_standing(office.database, period)
    figures = _to_figures(standing, period)
    click.echo(json.dumps(figures, indent=1) if as_json else "\n".join(_to_lines(standing)))
    return 0


@mail.command()
@as_of_option
@json_option
@click.pass_obj
def send(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """Send what is due now, of every period and without a close."""
    from command_line.prefect_run import run_flow

    office = open_office(home, as_of)
    try:
        state = run_flow(office, _load)
        figures, sentence = state.result(), state.message
    except NobodyMailed as stopped:
        figures, sentence = stopped.figures, stopped.message
        click.echo(f"billclose: {sentence}", err=True)
    unsent: int = figures["failed"] + figures["deferred"] + figures["in_doubt"]
    needs_person = unsent > 0 or figures["stopped_by"] != ""
    if as_json:
        status = "unsent" if needs_person else "sent"
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo(f"Mail: {sentence}.")
    return NEEDS_PERSON if needs_person else 0


@mail.command()
@click.argument("names", nargs=-1, metavar="[MESSAGE-ID]...")
@click.option("--failed", "period", metavar="PERIOD", help="All that failed of this period.")
@click.option("--account", help="Of these, the ones of this account.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def again(
    home: Path,
    names: tuple[str, ...],
    period: str | None,
    account: str | None,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Queue mails again that failed or are in doubt; `mail send` or a close sends them."""
    from database.runs import get_run
    from mail.correcting import send_again, send_failed_again

    if bool(names) == bool(period):
        raise Misuse("Name the mails by their message_id, or give --failed PERIOD.")
    if account is not None and not period:
        raise Misuse("--account needs --failed PERIOD.")
    office = open_office(home, as_of)
    decision = _decide(office, reason)
    if period:
        get_run(office.database, period)
        done = send_failed_again(office.database, period, account, decision)
    else:
        done = send_again(office.database, names, decision)
    _tell(done, "queued again", f"{office.command} mail send", as_json=as_json)
    return NEEDS_PERSON if done.suppressed else 0


@mail.command()
@click.argument("names", nargs=-1, required=True, metavar="MESSAGE-ID...")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def confirm(
    home: Path, names: tuple[str, ...], reason: str, as_of: datetime | None, as_json: bool
) -> int:
    """Mark mails in doubt as sent, because the mail server's log says so."""
    from mail.correcting import confirm as confirm_sent

    office = open_office(home, as_of)
    done = confirm_sent(office.database, names, _decide(office, reason))
    _tell(done, "confirmed as sent", "", as_json=as_json)
    return 0


def _load() -> Any:
    from flows.send_mail import send_mail

    return send_mail


def _decide(office: Office, reason: str) -> Decision:
    from mail.correcting import Decision

    return Decision(office.who, reason, office.moment(), office.due_now())


def _tell(done: Corrected, what: str, next_command: str, *, as_json: bool) -> None:
    if as_json:
        figures = {"status": what, "mails": done.changed, "suppressed": done.suppressed}
        click.echo(json.dumps(figures, indent=1))
        return
    click.echo(f"{say_count(done.changed, 'mail')} {what}.")
    if done.suppressed:
        click.echo(f"{done.suppressed:,} stay failed: their mailbox is suppressed.")
    if done.changed and next_command:
        click.echo(f"To send now: {next_command}")


def _to_figures(standing: Standing, period: str | None) -> dict[str, Any]:
    return {
        "period": period,
        "counts": [
            {"kind": kind, "status": status, "mails": number}
            for kind, found in standing.counts.items()
            for status, number in found.items()
        ],
        "waiting": standing.waiting,
        "oldest_waiting": _iso(standing.oldest_waiting),
        "next_try": _iso(standing.next_try),
        "possible_duplicates": standing.possible_duplicates,
        "reasons": [{"mails": n, "reason": reason} for reason, n in standing.reasons.items()],
    }


def _to_lines(standing: Standing) -> list[str]:
    if not standing.counts:
        return ["There are no mails."]
    lines = [
        f"{kind:18}" + ", ".join(f"{number:,} {status}" for status, number in found.items())
        for kind, found in standing.counts.items()
    ]
    if standing.possible_duplicates:
        duplicates = say_count(standing.possible_duplicates, "mail")
        lines.append(f"{duplicates} may have arrived twice.")
    if standing.oldest_waiting is not None and standing.next_try is not None:
        lines.append(
            f"{standing.waiting:,} wait, the oldest since {standing.oldest_waiting:%Y-%m-%d %H:%M} "
            f"UTC; the next try is due from {standing.next_try:%Y-%m-%d %H:%M} UTC."
        )
    lines += [f"  {number:>7,}  {reason}" for reason, number in standing.reasons.items()]
    return lines


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
