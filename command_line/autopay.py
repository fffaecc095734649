"""`billclose autopay`: the office enrolls a customer, cancels, and looks at what is agreed."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from command_line import asking
from command_line.autopay_enrolling import enroll, show_lines
from command_line.opening import as_of_option, in_words, json_option, open_office, reason_option
from command_line.statuses import DONE, NEEDS_PERSON


@click.group()
def autopay() -> None:
    """Enroll a customer in autopay, cancel it, show what is agreed and paid, lift a suspension."""


autopay.add_command(enroll)


@autopay.command()
@click.argument("account")
@click.option(
    "--reason",
    default="asked for by the customer",
    callback=in_words,
    metavar="TEXT",
    help="Why; audited.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_of_option
@json_option
@click.pass_obj
def cancel(
    home: Path, account: str, reason: str, yes: bool, as_of: datetime | None, as_json: bool
) -> int:
    """End the autopay of ACCOUNT; a payment that was not asked for yet falls away."""
    from command_line.autopay_figures import ended_figures, ended_lines
    from payments.enrolling_again import say_consequence
    from payments.enrolling_ends import cancel_enrollment, find_standing, require_enrolled

    office = open_office(home, as_of)
    now, today = office.moment(), office.local_today()
    standing = find_standing(office.database, account)
    require_enrolled(standing)
    told = say_consequence(standing, today, office.bank_days, office.autopay_policy)
    show_lines([told] if told else [], as_json=as_json)
    may_ask = not yes and asking.is_at_terminal()
    if may_ask and not asking.ask(f"End the autopay of {standing.account}?"):
        click.echo("Nothing was changed.", err=True)
        return NEEDS_PERSON
    ended = cancel_enrollment(
        office.database, account, now=now, today=today, who=office.who, reason=reason
    )
    if as_json:
        click.echo(json.dumps(ended_figures(ended, told), indent=1))
    else:
        show_lines(ended_lines(ended), as_json=False)
    return DONE


@autopay.command()
@click.argument("account")
@as_of_option
@json_option
@click.pass_obj
def show(home: Path, account: str, as_of: datetime | None, as_json: bool) -> int:
    """Show what is agreed for ACCOUNT, its next payment, and the payments of all periods."""
    from command_line.autopay_figures import list_payments, standing_figures, standing_lines
    from command_line.writing import write_table
    from payments.enrolling_again import say_consequence
    from payments.enrolling_ends import find_standing

    office = open_office(home, as_of)
    today = office.local_today()
    standing = find_standing(office.database, account)
    told = say_consequence(standing, today, office.bank_days, office.autopay_policy)
    payments = list_payments(office.database, standing.key)
    if as_json:
        figures = standing_figures(standing, told) | {"payments": payments}
        click.echo(json.dumps(figures, indent=1))
        return DONE
    show_lines(standing_lines(standing, told), as_json=False)
    if payments:
        write_table(list(payments[0]), payments)
    return DONE


@autopay.command()
@click.argument("account")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def reinstate(home: Path, account: str, reason: str, as_of: datetime | None, as_json: bool) -> int:
    """Draw again from the suspended payment method of ACCOUNT, from the next period on."""
    from command_line.autopay_figures import reinstated_figures, reinstated_lines
    from payments.reinstating import reinstate as lift

    office = open_office(home, as_of)
    found = lift(office.database, account, now=office.moment(), who=office.who, reason=reason)
    if as_json:
        click.echo(json.dumps(reinstated_figures(found), indent=1))
    else:
        show_lines(reinstated_lines(found), as_json=False)
    return DONE
