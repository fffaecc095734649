"""`billclose deposits`: what does not agree with the gateway's payouts, and what is settled."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from domain.words import say_count


@click.group(invoke_without_command=True)
@as_of_option
@json_option
@click.pass_context
def deposits(context: click.Context, as_of: datetime | None, as_json: bool) -> int:
    """Show the items of the gateway's payouts that do not agree with our books."""
    if context.invoked_subcommand is not None:
        return DONE
    from payments.outcomes.settlements import list_differences

    office = open_office(context.obj, as_of)
    differing = list_differences(office.database, office.due_now())
    if as_json:
        figures = [
            {
                "item": one.item,
                "settlement": one.settlement_id,
                "reference": one.reference,
                "account": one.account,
                "amount": str(one.amount),
                "difference": one.difference,
            }
            for one in differing
        ]
        click.echo(json.dumps({"differences": figures}, indent=1))
        return NEEDS_PERSON if differing else DONE
    click.echo(f"{say_count(len(differing), 'item')} of deposits do not agree.")
    for one in differing:
        account = f"account {one.account}, " if one.account else ""
        click.echo(f"  {one.item}  {one.difference}: {account}{one.amount.dollars()}")
    if differing:
        click.echo(f"Once settled: {office.command} deposits settle ITEM --reason TEXT")
    return NEEDS_PERSON if differing else DONE


@deposits.command()
@click.argument("item")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def settle(home: Path, item: str, reason: str, as_of: datetime | None, as_json: bool) -> int:
    """Take the difference of ITEM for settled: it is not shown any more; audited."""
    from payments.outcomes.settlements import settle_item

    office = open_office(home, as_of)
    settled = settle_item(office.database, item, reason, now=office.due_now(), who=office.who)
    say_done(
        as_json,
        {"item": item, "difference": settled.difference, "amount": str(settled.amount)},
        f"{item} is settled: {settled.difference}, {settled.amount.dollars()}.",
    )
    return DONE
