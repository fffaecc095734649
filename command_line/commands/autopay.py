"""`billclose autopay`: the office enrolls a customer, cancels, and looks at what is agreed."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line import options as asking
from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    ask,
    in_words,
    json_option,
    open_office,
    reason_option,
)
from domain.failures import Misuse
from domain.money import ZERO, Money
from rules.money.autopay import MOST_DAYS_PRIOR

if TYPE_CHECKING:
    from office.equipment.office import Office
    from payments.enrollment.enrolling import Offer


def to_maximum(_context: Any, _parameter: Any, value: str | None) -> Money | None:
    if value is None:
        return None
    try:
        maximum = Money.parse(value)
    except ValueError:
        raise Misuse("--maximum is no amount such as 150.00.") from None
    if maximum <= ZERO:
        raise Misuse("--maximum must be above zero; leave it out for no maximum.")
    return maximum


@click.command()
@click.argument("account")
@click.option(
    "--user", required=True, metavar="ADDRESS", help="Whose wallet pays: a portal user's address."
)
@click.option(
    "--method", required=True, metavar="TOKEN", help="The payment method, or its last 4 digits."
)
@click.option(
    "--days-prior",
    required=True,
    type=click.IntRange(0, MOST_DAYS_PRIOR),
    help="How many days before each due date it is drawn.",
)
@click.option("--maximum", callback=to_maximum, metavar="AMOUNT", help="The most that is drawn.")
@click.option(
    "--pay-up-to-maximum/--skip-over-maximum",
    "pays_up_to_maximum",
    default=None,
    help="Above it: draw that much, or nothing; else as autopay.over_maximum says.",
)
@click.option("--yes", is_flag=True, help="The customer agrees to what is drawn at once.")
@as_of_option
@json_option
@click.pass_obj
def enroll(
    home: Path,
    account: str,
    user: str,
    method: str,
    days_prior: int,
    maximum: Money | None,
    pays_up_to_maximum: bool | None,
    yes: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Enroll ACCOUNT in autopay; what would be drawn at once is shown and needs a yes."""
    from command_line.outcomes.autopay import enrollment_figures, enrollment_lines
    from payments.enrollment.enrolling import EnrollmentRequest, offer_enrollment
    from payments.enrollment.enrolling import enroll as carry_out

    if pays_up_to_maximum is not None and maximum is None:
        raise Misuse("--pay-up-to-maximum and --skip-over-maximum need --maximum AMOUNT.")
    office = open_office(home, as_of)
    terms = _terms(office)
    request = EnrollmentRequest(account, user, method, days_prior, maximum, pays_up_to_maximum)
    offer = offer_enrollment(office.database, request, **terms)
    show_lines(enrollment_lines(offer), as_json=as_json)

    status = "needs-yes"
    if yes or not offer.needs_yes or ask("Does the customer agree?"):
        terms["today"] = office.local_today()  # the yes may have come after midnight
        carry_out(office.database, offer, now=office.moment(), who=office.who, **terms)
        status = "enrolled"
    _tell_enrolled(offer, status)
    if as_json:
        click.echo(json.dumps({"status": status, **enrollment_figures(offer)}, indent=1))
    return DONE if status == "enrolled" else NEEDS_PERSON


def show_lines(lines: list[str], *, as_json: bool) -> None:
    """Show what concerns the customer; beside a JSON document, on standard error."""
    for line in lines:
        click.echo(line, err=as_json)


def _terms(office: Office) -> dict[str, Any]:
    from office.procedures.portal.enrollment_terms import enrollment_terms

    return enrollment_terms(office, office.local_today())


def _tell_enrolled(offer: Offer, status: str) -> None:
    if status == "enrolled":
        click.echo(f"Account {offer.standing.account} is enrolled.", err=True)
    else:
        click.echo(
            "billclose: nothing was changed; this needs the customer's yes: run it at a terminal, "
            "or again with --yes.",
            err=True,
        )


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
    from command_line.outcomes.autopay import ended_figures, ended_lines
    from payments.enrollment.ending import (
        cancel_enrollment,
        find_enrollment_facts,
        require_enrolled,
    )
    from payments.enrollment.enrolling import say_consequence

    office = open_office(home, as_of)
    now, today = office.moment(), office.local_today()
    standing = find_enrollment_facts(office.database, account)
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
    from command_line.outcomes.autopay import (
        list_payments,
        standing_figures,
        standing_lines,
    )
    from command_line.tables import write_table
    from payments.enrollment.ending import find_enrollment_facts
    from payments.enrollment.enrolling import say_consequence

    office = open_office(home, as_of)
    today = office.local_today()
    standing = find_enrollment_facts(office.database, account)
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
    from command_line.outcomes.autopay import reinstated_figures, reinstated_lines
    from payments.enrollment.ending import reinstate as lift

    office = open_office(home, as_of)
    found = lift(office.database, account, now=office.moment(), who=office.who, reason=reason)
    if as_json:
        click.echo(json.dumps(reinstated_figures(found), indent=1))
    else:
        show_lines(reinstated_lines(found), as_json=False)
    return DONE
