"""`billclose mail`: how the outbox stands, sending what is due, deciding about single mails."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

import click

from command_line.options import (
    NEEDS_PERSON,
    as_of_option,
    even_if_nothing_option,
    json_option,
    open_office,
    reason_option,
    say_time,
)
from domain.failures import Misuse, NobodyMailed
from domain.words import say_count

if TYPE_CHECKING:
    from mail.outbox.decisions import Corrected, DeliveryDecision, OutboxSummary
    from mail.outbox.parallel_sending import LeaderSocket
    from office.equipment.office import Office
    from office.procedures.mailing.mail_sending import Start


def main() -> None:
    """
    Send what is due, as told over the given socket, until nothing is left or it is closed.

    Ctrl-C reaches every process of the terminal: the leader hears it, and asks us to stop. The
    collector begins when all is loaded: that stays.
    """
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    with socket.socket(fileno=int(sys.argv[1])) as leader:
        _help(leader)


def _end(_signal: int, _frame: Any) -> NoReturn:
    """Leave at once, and in order: what was claimed is put back, what is under way is in doubt."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _help(leader: socket.socket) -> None:
    from mail.outbox.parallel_sending import LONGEST, LeaderSocket

    told = leader.recv(LONGEST)
    link = LeaderSocket(leader)
    Thread(target=link.watch, daemon=True).start()  # while the rest is loaded, too
    try:
        from office.procedures.mailing.mail_sending import Start

        _send(Start.of(told), link)
    except SystemExit:
        link.end(trouble="it was ended")
    except Exception as failure:
        from command_line.failing import describe

        link.end(trouble=describe(failure)[1])


def _send(start: Start, link: LeaderSocket) -> None:
    from datetime import datetime
    from pathlib import Path

    from command_line.options import wall_clock
    from office.equipment.mail import to_server_mailer as to_mailer
    from office.equipment.office import Office, at_work
    from office.identity import person
    from office.procedures.mailing.mail_sending import clock_of, same_settings, send_alone

    sys.argv[0] = start.program
    home = Path(start.home)
    office = Office(home, same_settings(start), clock_of(start, wall_clock), person())
    moment = datetime.fromisoformat(start.due) if start.due else None
    with (
        at_work(office),
        closing(office.database),
        closing(to_mailer(home, office.settings.smtp, connections=start.connections)) as mailer,
    ):
        gc.freeze()
        gc.enable()
        link.begin(start.grace)
        done = send_alone(
            office,
            mailer,
            start.kinds,
            lambda: moment or office.due_now(),
            link.tell,
            link.must_stop,
        )
        link.end(done)


if __name__ == "__main__":
    main()


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
    from mail.outbox.decisions import read_outbox_summary

    office = open_office(home)
    if period is not None:
        get_run(office.database, period)
    standing = read_outbox_summary(office.database, period)
    figures = _to_figures(standing, period)
    click.echo(json.dumps(figures, indent=1) if as_json else "\n".join(_to_lines(office, standing)))
    return 0


@mail.command()
@even_if_nothing_option
@as_of_option
@json_option
@click.pass_obj
def send(home: Path, even_if_nothing: bool, as_of: datetime | None, as_json: bool) -> int:
    """Send what is due now, of every period and without a close."""
    office = open_office(home, as_of)
    figures, sentence = (None if even_if_nothing else _quiet(office)) or _run(office)
    unsent: int = figures["failed"] + figures["deferred"] + figures["in_doubt"]
    needs_person = unsent > 0 or figures["stopped_by"] != ""
    if as_json:
        status = "unsent" if needs_person else "sent"
        click.echo(json.dumps({"status": status, **figures}, indent=1))
    else:
        click.echo(f"Mail: {sentence}.")
    return NEEDS_PERSON if needs_person else 0


def _quiet(office: Office) -> tuple[dict[str, Any], str] | None:
    from office.rounds.quiet.mailing import quiet_mail, say_quiet_mail

    figures = quiet_mail(office)
    return None if figures is None else (figures, say_quiet_mail())


def _run(office: Office) -> tuple[dict[str, Any], str]:
    from office.prefect_server.flow_runs import run_flow

    try:
        state = run_flow(office, _load)
    except NobodyMailed as stopped:
        click.echo(f"billclose: {stopped.message}", err=True)
        return stopped.figures, stopped.message
    return state.result(), state.message


@mail.command()
@click.argument("names", nargs=-1, metavar="[MESSAGE-ID]...")
@click.option("--failed", "period", metavar="PERIOD", help="All that failed of this period.")
@click.option("--account", help="Of these, the ones of this account.")
@click.option(
    "--leave-suppressed",
    is_flag=True,
    help="With --failed: not those whose mailbox is suppressed; else they are written to again.",
)
@reason_option
@as_of_option
@json_option
@click.pass_obj
def again(
    home: Path,
    names: tuple[str, ...],
    period: str | None,
    account: str | None,
    leave_suppressed: bool,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Queue mails again that failed or are in doubt; `mail send` or a close sends them."""
    from database.runs import get_run
    from mail.outbox.decisions import send_again, send_failed_again

    if bool(names) == bool(period):
        raise Misuse("Name the mails by their message_id, or give --failed PERIOD.")
    if (account is not None or leave_suppressed) and not period:
        which = "--account" if account is not None else "--leave-suppressed"
        raise Misuse(f"{which} needs --failed PERIOD.")
    office = open_office(home, as_of)
    decision = _decide(office, reason)
    if period:
        get_run(office.database, period)
        done = send_failed_again(
            office.database, period, account, decision, leave_suppressed=leave_suppressed
        )
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
    from mail.outbox.decisions import confirm as confirm_sent

    office = open_office(home, as_of)
    done = confirm_sent(office.database, names, _decide(office, reason))
    _tell(done, "confirmed as sent", "", as_json=as_json)
    return 0


def _load() -> Any:
    from flows.send_mail import send_mail

    return send_mail


def _decide(office: Office, reason: str) -> DeliveryDecision:
    from mail.outbox.decisions import DeliveryDecision

    return DeliveryDecision(office.who, reason, office.moment(), office.due_now())


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


def _to_figures(standing: OutboxSummary, period: str | None) -> dict[str, Any]:
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


def _to_lines(office: Office, standing: OutboxSummary) -> list[str]:
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
        oldest, next_try = (
            say_time(office, moment) for moment in (standing.oldest_waiting, standing.next_try)
        )
        lines.append(
            f"{standing.waiting:,} wait, the oldest since {oldest}; the next try is due from "
            f"{next_try}."
        )
    lines += [f"  {number:>7,}  {reason}" for reason, number in standing.reasons.items()]
    return lines


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
