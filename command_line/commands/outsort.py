"""`billclose outsort`: holding one bill back from all that the close does."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import DONE, as_of_option, json_option, open_office, reason_option
from domain.words import say_count

if TYPE_CHECKING:
    from outsorting.holding import Outsorted


def period_option(command: Any) -> Any:
    return click.option(
        "--period", required=True, metavar="PERIOD", help="The bill's period, such as 2026-10."
    )(command)


@click.command()
@click.argument("account")
@period_option
@reason_option
@as_of_option
@json_option
@click.pass_obj
def outsort(
    home: Path, account: str, period: str, reason: str, as_of: datetime | None, as_json: bool
) -> int:
    """Hold the bill of ACCOUNT back: not shown, mailed, printed or drawn, no balance moves.

    Before the close or after it; `billclose list outsorted` shows what is held, `billclose release`
    lets it go. After the close what waits is taken back, and what has left the office is told.
    """
    from office.procedures.outsorting import hold_back

    office = open_office(home, as_of)
    done = hold_back(office, account, period, reason)
    if as_json:
        click.echo(json.dumps(_figures(done), indent=1))
        return DONE
    again = f"{office.command} release {done.account} --period {done.period}"
    click.echo("\n".join([*_lines(done), f"  To let it go: {again}"]))
    return DONE


def _figures(done: Outsorted) -> dict[str, Any]:
    return {
        "status": "held",
        "already": done.already,
        "account": done.account,
        "period": done.period,
        "amount_due": str(done.amount_due),
        "closed": done.is_closed,
        "withdrawn": {
            "payments": done.payments,
            "payments_amount": str(done.payments_amount),
            "mails": done.mails,
            "paper": done.paper,
        },
        "balance_of": done.balance_of,
        "stands": list(done.stands),
    }


def _lines(done: Outsorted) -> list[str]:
    word = "was held back before" if done.already else "is held back"
    lines = [
        f"The bill of account {done.account} of {done.period}, {done.amount_due.dollars()}, {word}."
    ]
    if done.already:
        return lines
    if not done.is_closed:
        return [*lines, "  The close will pass it over."]
    stands_for = f"the bill of {done.balance_of}" if done.balance_of else "no bill"
    taken = [f"the balance stands for {stands_for}"]
    if done.payments:
        taken.append(f"the payment of {done.payments_amount.dollars()} is cancelled")
    if done.mails:
        taken.append(f"{say_count(done.mails, 'mail')} withdrawn")
    if done.paper:
        taken.append("taken out of the next print part")
    return [*lines, f"  Taken back: {', '.join(taken)}.", *(f"  {text}" for text in done.stands)]
