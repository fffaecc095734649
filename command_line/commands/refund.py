"""`billclose refund`: giving a payment back, or a part of it."""

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
)
from domain.failures import Misuse, OutcomeUnknown, TemporaryFailure
from domain.money import Money


@click.command()
@click.argument("confirmation")
@click.option("--amount", metavar="AMOUNT", help="A part of it; without, all that is left.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def refund(
    home: Path,
    confirmation: str,
    amount: str | None,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Give the payment of a CONFIRMATION back to its payer; the bill is owed again by as much.

    One amount is given back for one reason once, however often this is run: after a lost answer
    (exit status 4) run it again. To give the same amount back a second time give another reason.
    The reversal is posted with the next `collect` or `retry-postings`.
    """
    from payments.outcomes.refunding import refund_payment, say_given_back_before

    office = open_office(home, as_of)
    part = _to_amount(amount)
    try:
        done = refund_payment(
            office.database,
            office.gateway,
            confirmation.strip(),
            part,
            reason,
            office.due_now(),
            office.autopay_terms,
        )
    except (TemporaryFailure, OutcomeUnknown) as failure:
        message = f"{failure} The refund stays asked for; run the same command again later."
        if as_json:
            click.echo(json.dumps({"status": "needs-person", "message": message}, indent=1))
        else:
            click.echo(message)
        return NEEDS_PERSON
    if as_json:
        figures = {
            "status": "done",
            "already": done.already,
            "refund": done.key,
            "confirmation": confirmation.strip(),
            "reference": done.reference,
            "account": done.account,
            "amount": str(done.amount),
        }
        click.echo(json.dumps(figures, indent=1))
    elif done.already:
        click.echo(say_given_back_before(confirmation.strip(), done))
    else:
        click.echo(
            f"{done.amount.dollars()} of {confirmation.strip()} given back as {done.reference}, "
            f"account {done.account}. To post the reversal: {office.command} retry-postings --now"
        )
    return DONE


def _to_amount(written: str | None) -> Money | None:
    if written is None:
        return None
    try:
        return Money.parse(written)
    except ValueError:
        raise Misuse(
            f"--amount {written!r} is no amount such as 40.00.", "unreadable-amount"
        ) from None
