"""`billclose arrange`: what an account owes, paid in installments by dates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    ask,
    in_words,
    json_option,
    open_office,
)
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money

if TYPE_CHECKING:
    from domain.arrangements import Arrangement, Installment, PlanStanding
    from office.equipment.office import Office
    from rules.money.arrangements import DatedAmounts

EVERY = ("week", "two-weeks", "month")


@click.command()
@click.argument("account")
@click.option("--amount", metavar="AMOUNT", help="A part of what is open; without, all of it.")
@click.option("--installments", type=int, metavar="N", help="So many, of the same size.")
@click.option("--first", metavar="DATE", help="The day of the first; without, in two weeks.")
@click.option("--every", type=click.Choice(EVERY), help="How far apart they are; without, a month.")
@click.option(
    "--on", "on_dates", multiple=True, metavar="DATE=AMOUNT", help="One installment; repeat it."
)
@click.option("--reason", callback=in_words, metavar="TEXT", help="Why; audited.")
@click.option("--cancel", is_flag=True, help="End the plan of the account: all is due again.")
@click.option("--approve", is_flag=True, help="Say the second yes to its plan (four eyes).")
@click.option("--dry-run", is_flag=True, help="Show the plan; write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; with --json nothing is done without it.")
@as_of_option
@json_option
@click.pass_obj
def arrange(
    home: Path,
    /,
    account: str,
    reason: str | None,
    cancel: bool,
    approve: bool,
    dry_run: bool,
    yes: bool,
    as_of: datetime | None,
    as_json: bool,
    **plan: Any,
) -> int:
    """Let what ACCOUNT owes be paid in installments, by dates; or cancel such a plan.

    While a plan is kept nothing of it is dunned: the customer is reminded before each installment.
    One that is missed, its days of grace over, breaks the plan; the customer is told once. Without
    any option it shows how the plan of the account stands.
    """
    is_planned = any(value not in (None, ()) for value in plan.values())
    if cancel + approve + is_planned > 1:
        raise Misuse("Give either a plan, or --cancel, or --approve.")
    if (cancel or is_planned) and reason is None:
        raise Misuse("--reason is needed: it is audited.")
    office = open_office(home, as_of)
    if not (cancel or approve or is_planned):
        return _show(office, account, as_json=as_json)
    if dry_run and not is_planned:
        raise Misuse("--dry-run shows a plan; give --installments or --on.")
    if approve:
        return _approve(office, account, as_json=as_json)
    if cancel:
        return _cancel(office, account, reason or "", yes=yes, as_json=as_json)
    return _arrange(office, account, reason or "", plan, dry_run, yes, as_json)


def _arrange(
    office: Office,
    account: str,
    reason: str,
    plan: dict[str, Any],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    from office.procedures.mailing.arranging import look, set_up

    dated = _dated(office, account, **plan)
    agreed = look(office, account, dated, reason)
    if dry_run:
        return _tell_look("dry-run", account, agreed, as_json=as_json)
    if not yes and as_json:  # nobody can be asked: shown, as by the other commands
        return _tell_look("shown", account, agreed, as_json=True)
    if not yes:
        click.echo("\n".join(_lines(agreed)), err=True)
        if not ask(f"Let account {account} pay so?"):
            raise Misuse("Nothing was arranged; --yes arranges without asking.", "no-yes")
    made = set_up(office, account, dated, reason)
    return _tell(office, made, as_json=as_json)


def _dated(
    office: Office,
    account: str,
    *,
    amount: str | None,
    installments: int | None,
    first: str | None,
    every: str | None,
    on_dates: Sequence[str],
) -> DatedAmounts:
    from office.procedures.mailing.arranging import to_dates
    from rules.money.arrangements import FIRST_AFTER, Every

    if bool(on_dates) == (installments is not None):
        raise Misuse("Give either --installments N or --on DATE=AMOUNT, once or more often.")
    if on_dates:
        if amount or first or every:
            raise Misuse("--amount, --first and --every go with --installments, not with --on.")
        return [_to_installment(written) for written in on_dates]
    begins = _to_day("--first", first) if first else office.local_today() + FIRST_AFTER
    part = _to_amount("--amount", amount) if amount else None
    return to_dates(office, account, part, installments or 0, begins, Every(every or "month"))


def _to_installment(written: str) -> tuple[date, Money]:
    day, separator, amount = written.partition("=")
    if not separator:
        raise Misuse(f"--on {written!r}: write DATE=AMOUNT, such as 2026-12-01=80.00.")
    return _to_day("--on", day), _to_amount("--on", amount)


def _to_day(option: str, written: str) -> date:
    try:
        return parse_date(written)
    except ValueError:
        raise Misuse(f"{option} {written!r} is no day such as 2026-12-01.") from None


def _to_amount(option: str, written: str) -> Money:
    try:
        return Money.parse(written)
    except ValueError:
        raise Misuse(f"{option} {written!r} is no amount such as 40.00.") from None


def _approve(office: Office, account: str, *, as_json: bool) -> int:
    from office.procedures.mailing.arranging import approve

    return _tell(office, approve(office, account), as_json=as_json)


def _cancel(office: Office, account: str, reason: str, *, yes: bool, as_json: bool) -> int:
    from office.procedures.mailing.arranging import cancel

    if not yes and as_json:
        return _show(office, account, as_json=True, status="shown")
    if not yes and not ask(f"End the plan of account {account}?"):
        raise Misuse("Nothing was cancelled; --yes cancels without asking.", "no-yes")
    return _tell(office, cancel(office, account, reason), as_json=as_json)


def _show(office: Office, account: str, *, as_json: bool, status: str = "") -> int:
    from office.procedures.mailing.arranging import find_facts, plan_with_standing

    facts = find_facts(office, account)
    found = plan_with_standing(office, facts.account_key)
    if found is None:
        raise Misuse(
            f"Account {facts.account} has no payment arrangement; "
            f"{facts.payable.dollars()} is open. Give --installments or --on to set one up.",
            "no-arrangement",
        )
    plan, standing = found
    if as_json:
        figures = _figures(plan, standing)
        figures["status"] = status or figures["status"]
        click.echo(json.dumps(figures, indent=1))
        return DONE
    click.echo("\n".join([_sentence(office, plan), *_standing_lines(standing)]))
    return DONE


def _tell_look(status: str, account: str, agreed: list[Installment], *, as_json: bool) -> int:
    if as_json:
        figures = {"status": status, "account": account, **_parts(agreed)}
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo("\n".join([f"A plan for account {account} would be:", *_lines(agreed)]))
    return DONE


def _tell(office: Office, plan: Arrangement, *, as_json: bool) -> int:
    from office.procedures.mailing.arranging import plan_with_standing

    found = plan_with_standing(office, plan.account_key)
    assert found is not None
    waits = plan.state == "waiting"
    if as_json:
        click.echo(json.dumps(_figures(*found), indent=1))
    else:
        click.echo("\n".join([_sentence(office, plan), *_lines(plan.installments)]))
    return NEEDS_PERSON if waits else DONE


def _sentence(office: Office, plan: Arrangement) -> str:
    about = f"The plan of account {plan.account} for {plan.amount.dollars()}"
    again = f"{office.command} arrange {plan.account}"
    if plan.state == "waiting":
        return f"{about} waits for another person's yes: {again} --approve"
    if plan.state == "in-force":
        return f"{about} is in force. To end it: {again} --cancel --reason TEXT"
    return f"{about} is {plan.state}: {plan.end_reason}."


def _lines(installments: Sequence[Installment]) -> list[str]:
    return [f"  {one.due_on}  {one.amount.dollars():>12}" for one in installments]


def _standing_lines(standing: PlanStanding) -> list[str]:
    return [
        f"  {one.due_on}  {one.amount.dollars():>12}  paid {one.paid.dollars()}"
        for one in standing.installments
    ]


def _parts(installments: Sequence[Installment]) -> dict[str, Any]:
    return {
        "amount": str(Money.total(one.amount for one in installments)),
        "installments": [
            {
                "due_on": one.due_on.isoformat(),
                "amount": str(one.amount),
                "last_day": one.last_day.isoformat(),
            }
            for one in installments
        ],
    }


def _figures(plan: Arrangement, standing: PlanStanding) -> dict[str, Any]:
    paid = [str(one.paid) for one in standing.installments]
    parts = _parts(plan.installments)
    for one, amount in zip(parts["installments"], paid, strict=True):
        one["paid"] = amount
    return {
        "status": plan.state.value,
        "arrangement": plan.number,
        "account": plan.account,
        "period": plan.period,
        **parts,
        "paid": str(standing.paid),
        "left": str(standing.left),
        "missing": str(standing.missing),
        "reason": plan.reason,
        "made_by": plan.made_by,
        "approved_by": plan.approved_by,
        "end_reason": plan.end_reason,
    }
