"""`billclose balances`: what a person decides of an amount that the books cannot place."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from command_line.options import DONE, as_of_option, json_option, open_office, reason_option
from domain.failures import Misuse
from domain.words import say_count


@click.group()
def balances() -> None:
    """Decide of an amount whether the newest export contains it; `list balances` shows them."""


@balances.command("decide")
@click.argument("key")
@click.option("--contained", is_flag=True, help="The account's newest export has it.")
@click.option("--carried", is_flag=True, help="It has not: it counts over the newest bill.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def decide(
    home: Path,
    key: str,
    contained: bool,
    carried: bool,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Settle the entry or the feed's movement KEY; what is decided is audited.

    KEY is an id of `list movements`, or the movement that `list exceptions` names.
    """
    from database.deciding import BalanceDecision, decide_balance

    if contained is carried:
        raise Misuse("Give one of --contained and --carried.")
    office = open_office(home, as_of)
    decision = BalanceDecision.CONTAINED if contained else BalanceDecision.CARRIED
    done = decide_balance(
        office.database, key.strip(), decision, reason, office.due_now(), office.who
    )
    if as_json:
        figures = {
            "status": "done",
            "key": done.key,
            "account": done.account,
            "decided": str(done.decision),
            "changed": done.is_changed,
            "settled": done.settled,
            "amount": None if done.amount is None else str(done.amount),
            "open_before": str(done.before),
            "open": str(done.after),
        }
        click.echo(json.dumps(figures, indent=1))
        return DONE
    if not done.is_changed:
        owed = done.after.dollars()
        click.echo(f"{done.key} stood so already; account {done.account} owes {owed}.")
        return DONE
    settled = f", {say_count(done.settled, 'finding')} settled" if done.settled else ""
    click.echo(
        f"{done.key} is {done.decision}{settled}: account {done.account} owed "
        f"{done.before.dollars()} and owes {done.after.dollars()}."
    )
    return DONE
