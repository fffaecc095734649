"""`billclose release`: letting a held bill go, with all that was held back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.commands.outsort import period_option
from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    in_words,
    json_option,
    open_office,
)

if TYPE_CHECKING:
    from mail.outbox.sending import SendCounts
    from outsorting.releasing import Released


@click.command()
@click.argument("account")
@period_option
@click.option("--reason", callback=in_words, metavar="TEXT", help="Why; audited.")
@as_of_option
@json_option
@click.pass_obj
def release(
    home: Path,
    account: str,
    period: str,
    reason: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Let the held bill of ACCOUNT go: it shows, its balance moves, autopay, mail or paper follow.

    A bill whose period is closed is due at least outsort.days_to_pay days from now. Also for the
    bills that a waived check holds. Run again after an interruption it goes on where it was.
    """
    from office.procedures.outsorting import let_go, send_released

    office = open_office(home, as_of)
    done = let_go(office, account, period, reason or "")
    sent = send_released(office) if done.is_closed and done.later_period is None else None
    if as_json:
        click.echo(json.dumps(_figures(done, sent), indent=1))
    else:
        click.echo(_sentence(done))
    return NEEDS_PERSON if sent is not None and sent.unsent else DONE


def _figures(done: Released, sent: SendCounts | None) -> dict[str, Any]:
    payment = done.payment
    return {
        "status": "released",
        "already": done.already,
        "account": done.account,
        "period": done.period,
        "amount_due": str(done.amount_due),
        "closed": done.is_closed,
        "due_date": None if done.due_on is None else done.due_on.isoformat(),
        "later_period": done.later_period,
        "autopay": None
        if payment is None
        else {
            "amount": str(payment.amount),
            "pay_date": None if payment.pay_on is None else payment.pay_on.isoformat(),
            "unscheduled": payment.unscheduled,
        },
        "mails": done.mails,
        "paper": done.paper,
        "left_before": done.left_before,
        "sent": 0 if sent is None else sent.sent,
    }


def _sentence(done: Released) -> str:
    from outsorting.releasing import say_done

    which = f"The bill of account {done.account} of {done.period}"
    if done.already:
        return f"{which} was released before."
    return f"{which} is released: {say_done(done)}."
