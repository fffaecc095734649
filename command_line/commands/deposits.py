"""`billclose deposits`: what does not agree with the gateway's payouts, and what is settled."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from payments.bank.keeping import OpenDifference


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
    from office.procedures.bank.matching import is_bank_item, settle_bank_item
    from payments.outcomes.settlements import settle_item

    office = open_office(home, as_of)
    if is_bank_item(item):
        difference = settle_bank_item(office, item, reason).difference
        figures = {"item": item, "difference": difference}
        say_done(as_json, figures, f"{item} is settled: {difference}.")
        return DONE
    settled = settle_item(office.database, item, reason, now=office.due_now(), who=office.who)
    say_done(
        as_json,
        {"item": item, "difference": settled.difference, "amount": str(settled.amount)},
        f"{item} is settled: {settled.difference}, {settled.amount.dollars()}.",
    )
    return DONE


@deposits.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@as_of_option
@json_option
@click.pass_obj
def match(home: Path, file: Path | None, as_of: datetime | None, as_json: bool) -> int:
    """Hold the bank's FILE (BAI2 or CSV) against the gateway's payouts.

    Without FILE it shows how all files that were taken in agree. The same lines again are nothing
    new, whatever file they come in.
    """
    from office.procedures.bank.matching import bank_standing, take_bank_file, to_document
    from rules.money.bank_matching import say_group

    office = open_office(home, as_of)
    taken = take_bank_file(office, file.name, _content(file)) if file is not None else None
    standing = bank_standing(office)
    if as_json:
        click.echo(json.dumps(to_document(taken, standing), indent=1))
        return NEEDS_PERSON if standing.differences else DONE
    if taken is not None:
        click.echo(
            f"{taken.name}: {say_count(taken.lines, 'line')}, {taken.new} new, "
            f"{taken.left_out} no deposits of ours."
        )
    if standing.first_on is None:
        click.echo("No file of the bank was taken in yet.")
        return DONE
    click.echo(
        f"{say_count(standing.matched, 'deposit')} agree, {standing.amount.dollars()}, from "
        f"{standing.first_on} to {standing.last_on}; {len(standing.differences)} do not."
    )
    for pair in standing.groups:
        click.echo(f"  {say_group(pair)}")
    for one in standing.differences:
        click.echo(f"  {one.item}  {one.difference}: {say_difference(one)}")
    if standing.differences:
        click.echo(f"Once settled: {office.command} deposits settle ITEM --reason TEXT")
    return NEEDS_PERSON if standing.differences else DONE


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as wrong:
        raise Misuse(f"{file} cannot be read: {wrong.strerror}.", "bank-file") from None


def say_difference(one: OpenDifference) -> str:
    """Write `$120.00 on 2026-11-17 at the bank, po_7 of $119.41 on 2026-11-16 here`."""
    said = []
    if one.entry is not None:
        said.append(f"{one.entry.amount.dollars()} on {one.entry.posted_on} at the bank")
    if one.payout is not None:
        amount = one.payout.net.dollars()
        said.append(f"{one.payout.name} of {amount} on {one.payout.pays_out_on} here")
    return ", ".join(said)
