"""`billclose autopay enroll`: what it would draw at once is shown, and needs a yes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.asking import ask
from command_line.opening import as_of_option, json_option, open_office
from command_line.statuses import DONE, NEEDS_PERSON
from domain.failures import Misuse
from domain.money import ZERO, Money

if TYPE_CHECKING:
    from office.wiring import Office
    from payments.enrolling import Offer

MOST_DAYS_PRIOR = 30


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
    from command_line.autopay_figures import enrollment_figures, enrollment_lines
    from payments.enrolling import Wish, offer_enrollment
    from payments.enrolling import enroll as carry_out

    if pays_up_to_maximum is not None and maximum is None:
        raise Misuse("--pay-up-to-maximum and --skip-over-maximum need --maximum AMOUNT.")
    office = open_office(home, as_of)
    terms = _terms(office)
    wish = Wish(account, user, method, days_prior, maximum, pays_up_to_maximum)
    offer = offer_enrollment(office.database, wish, **terms)
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
    from payments.consent import read_consent

    return {
        "today": office.local_today(),
        "closed": office.bank_days,
        "policy": office.autopay_policy,
        "consent": read_consent(office.home / "autopay-consent.txt"),
    }


def _tell_enrolled(offer: Offer, status: str) -> None:
    if status == "enrolled":
        click.echo(f"Account {offer.standing.account} is enrolled.", err=True)
    else:
        click.echo(
            "billclose: nothing was changed; this needs the customer's yes: run it at a terminal, "
            "or again with --yes.",
            err=True,
        )
