"""`billclose unknown`: payments whose outcome nobody knows, and what a person decides."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    in_words,
    json_option,
    open_office,
    say_done,
    say_time,
)
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office
    from payments.outcomes.unknown_payments import Doubt, PaymentDecision


@click.group(invoke_without_command=True)
@as_of_option
@json_option
@click.pass_context
def unknown(context: click.Context, as_of: datetime | None, as_json: bool) -> int:
    """Show what we, the gateway and cash receipting know of each payment in doubt."""
    if context.invoked_subcommand is not None:
        return DONE
    from office.procedures.doubts import read_doubts

    office = open_office(context.obj, as_of)
    doubts = read_doubts(office)
    if as_json:
        click.echo(json.dumps({"unknown": [_to_figures(one) for one in doubts]}, indent=1))
    else:
        click.echo("\n".join(_lines(office, doubts)))
    return NEEDS_PERSON if doubts else DONE


@unknown.command()
@click.argument("key", required=False)
@click.option("--approved", metavar="CONFIRMATION", help="It was drawn, under this number.")
@click.option("--never-arrived", is_flag=True, help="It was not drawn; it is due again.")
@click.option("--given-back", is_flag=True, help="It was drawn twice, and you gave one back.")
@click.option("--agreed", is_flag=True, help="As gateway and cash receipting both say.")
@click.option("--all-agreed", is_flag=True, help="Every payment of which both say the same.")
@click.option(
    "--insist",
    is_flag=True,
    help="With --approved, though the gateway does not know the number; it takes two persons.",
)
@click.option(
    "--reason", callback=in_words, metavar="TEXT", help="Why; audited. Not needed where both agree."
)
@as_of_option
@json_option
@click.pass_obj
def decide(
    home: Path,
    key: str | None,
    approved: str | None,
    never_arrived: bool,
    given_back: bool,
    agreed: bool,
    all_agreed: bool,
    insist: bool,
    reason: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Decide about the payment or draw KEY; what is decided is audited."""
    from office.procedures.doubts import find_doubt
    from payments.outcomes import unknown_payments as desk

    if sum((bool(approved), never_arrived, given_back, agreed, all_agreed)) != 1:
        raise Misuse(
            "Give one of --approved, --never-arrived, --given-back, --agreed and --all-agreed."
        )
    if all_agreed is not (key is None) or (insist and not approved):
        raise Misuse("KEY is needed, but for --all-agreed; --insist goes with --approved.")
    office = open_office(home, as_of)
    again = None
    decision = _decision(office, reason, agreed=agreed or all_agreed)
    if key is None:
        return _decide_all(office, decision, as_json=as_json)
    if approved:
        desk.decide_approved(
            office.database, office.gateway, key, approved.strip(), decision, insists=insist
        )
    elif never_arrived:
        again = desk.decide_never_arrived(office.database, office.gateway, key, decision)
    elif given_back:
        desk.decide_given_back(office.database, key, decision)
    else:
        desk.decide_agreed(office.database, office.gateway, find_doubt(office, key), decision)
    next_step = _next_step(office, approved, never_arrived, again)
    figures = {"key": key, "decided": 1, "next": next_step}
    say_done(as_json, figures, f"{key} is decided. {next_step}".strip())
    return DONE


def _decide_all(office: Office, decision: PaymentDecision, *, as_json: bool) -> int:
    """Decide each payment of which both sides say the same; the others stay for a person."""
    from office.procedures.doubts import read_doubts
    from payments.outcomes.unknown_payments import decide_agreed

    doubts = read_doubts(office)
    agreeing = [one for one in doubts if one.agreed is not None]
    for one in agreeing:
        decide_agreed(office.database, office.gateway, one, decision)
    left = len(doubts) - len(agreeing)
    status = "needs-person" if left else "done"
    say_done(
        as_json,
        {"status": status, "decided": len(agreeing), "left": left},
        f"{say_count(len(agreeing), 'payment')} decided; {left:,} left on which the two sides do "
        f"not agree{f': {office.command} unknown' if left else ''}.",
    )
    return NEEDS_PERSON if left else DONE


def _next_step(
    office: Office, approved: str | None, never_arrived: bool, again: date | None
) -> str:
    if approved:
        return f"To post it: {office.command} retry-postings --now"
    if not never_arrived:
        return ""
    if again is None:
        return "It is not drawn any more; the customer is told to pay in another way."
    return f"It is drawn on {again}; the notices tell its customer before."


def _decision(office: Office, reason: str | None, *, agreed: bool) -> PaymentDecision:
    from payments.outcomes.unknown_payments import PaymentDecision

    if reason is None and not agreed:
        raise Misuse("--reason TEXT is needed: it is audited.")
    return PaymentDecision(
        office.who, reason or "two sources agree", office.due_now(), office.autopay_terms
    )


def _to_figures(doubt: Doubt) -> dict[str, Any]:
    one = doubt.draw
    return {
        "key": one.key,
        "payment": one.payment_key,
        "account": one.account,
        "period": one.period,
        "amount": str(one.amount),
        "ours": {
            "state": one.payment_state,
            "confirmation": one.reference,
            "asked_at": one.asked_at.isoformat() if one.asked_at else None,
            "lookups": one.lookups,
            "note": one.code,
        },
        "gateway": {"says": doubt.gateway, "confirmation": doubt.reference},
        "cash_receipting": doubt.receipt,
        "agreed": doubt.agreed,
    }


def _lines(office: Office, doubts: list[Doubt]) -> list[str]:
    if not doubts:
        return ["No payment is in doubt."]
    lines = []
    for doubt in doubts:
        one = doubt.draw
        asked = say_time(office, one.asked_at) if one.asked_at else "never"
        lines += [
            f"{one.key}  account {one.account}, {one.amount.dollars()}",
            f"  we say           {one.code or one.payment_state}, {one.reference}, asked {asked}",
            f"  the gateway says {doubt.gateway} {doubt.reference or ''}".rstrip(),
            f"  cash receipting  {doubt.receipt}",
        ]
        if doubt.agreed:
            lines.append(f"  both agree       {office.command} unknown decide {one.key} --agreed")
    if any(doubt.agreed for doubt in doubts):
        lines.append(f"Where both agree: {office.command} unknown decide --all-agreed")
    lines.append(f"To decide: {office.command} unknown decide KEY --help")
    return lines
