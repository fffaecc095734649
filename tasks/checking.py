"""Step: check bills and balances."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from data_checks.checking import blocking_failures, check_run, require_waivable
from database.approvals import record_waivers
from database.audit import record_audit
from database.ledger.boundary_plans import plan_boundary
from database.queries.bills import bill_folder
from database.runs import Run, forget_steps, get_run, move_run
from database.tables import outsorted_bill, waiver
from domain.checks import CheckResult, CheckStatus
from domain.failures import Refused
from domain.steps import Step
from mail.recipients.delivery_plan import plan_deliveries
from office.equipment.office import Office, current_office
from office.procedures.checks import choices_of, raised_checks
from office.procedures.exceptions import exceptions_of
from payments.scheduling.planning import plan_autopay
from tasks.steps.artifacts import show_checks, show_exceptions
from tasks.steps.step import Done, step

NAMED = 5  # accounts that a sentence names


@step(Step.CHECK)
def check_bills_and_balances(period: str, waivers: Mapping[str, str] | None = None) -> Done:
    """
    Plan how bills go out and what autopay draws, then check everything; refuse what blocks.

    A refused run keeps its staged rows and findings, so that a person can look; its bill
    documents are taken back, and nothing of it shows.
    """
    office = current_office()
    known = get_run(office.database, period)
    if known.is_closed:
        return Done("checked before the close")

    results = _check(office, known, waivers or {})
    show_checks(office.database, period)
    show_exceptions(period, exceptions_of(office, period))
    blocking = blocking_failures(results)
    if blocking:
        _refuse(office, known, blocking)
    warned = sum(result.status is CheckStatus.WARNED for result in results)
    waived = sum(result.status is CheckStatus.WAIVED for result in results)
    sentence = f"{len(results)} checks, none blocks"
    if warned:
        sentence += f", {warned} warn"
    if waived:
        sentence += f", {waived} waived"
    if off := choices_of(office).off:
        sentence += f"; switched off by the office: {', '.join(off)}"
    return Done(sentence, {"checks": len(results), "warned": warned, "waived": waived})


def _check(office: Office, known: Run, waivers: Mapping[str, str]) -> tuple[CheckResult, ...]:
    period = known.period
    office.bill_renderer.check()
    _record_waivers(office, known, waivers)
    plan_deliveries(office.database, period, office.plan_terms)
    plan_boundary(office.database, period, office.settings.checks.posting_days)
    _plan_autopay(office, known)
    results = check_run(
        office.database,
        period,
        today=office.today(known),
        thresholds=office.thresholds,
        waived=_waivers(office, period),
        choices=choices_of(office),
        at=office.now(known),
    )
    if _holds_accounts(office, period):
        _plan_autopay(office, known)  # once more: held accounts are not drawn
    return results


def _plan_autopay(office: Office, known: Run) -> None:
    plan_autopay(
        office.database,
        known.period,
        today=office.today(known),
        closed=office.bank_days,
        policy=office.autopay_policy,
    )


def _record_waivers(office: Office, known: Run, waivers: Mapping[str, str]) -> None:
    """Write down who waives which check and why; raises Misuse or Refused for a wrong name."""
    require_waivable(waivers, raised_checks(office))
    with office.database.writing() as books:
        record_waivers(books, known.period, waivers, at=office.now(known), who=office.who)


def _waivers(office: Office, period: str) -> dict[str, str]:
    with office.database.reading() as books:
        rows = books.execute(
            sa.select(waiver.c.check_name, waiver.c.reason).where(waiver.c.period == period)
        )
        return {row.check_name: row.reason for row in rows}


def _holds_accounts(office: Office, period: str) -> bool:
    with office.database.reading() as books:
        held = sa.select(outsorted_bill.c.period).where(outsorted_bill.c.period == period).limit(1)
        return books.execute(held).first() is not None


def _refuse(office: Office, known: Run, blocking: tuple[CheckResult, ...]) -> None:
    message = _refusal(office, known.period, blocking)
    office.store.delete_run(bill_folder(office.database, known.period))
    forget_steps(office.database, known.period, (Step.SPLIT,))
    with office.database.writing() as books:
        move_run(books, known.period, "refused")
        record_audit(books, office.now(known), office.who, "refuse", known.period, _named(blocking))
    raise Refused(blocking[0].check, message)


def _refusal(office: Office, period: str, blocking: tuple[CheckResult, ...]) -> str:
    """Say what to do; a rehearsal's exceptions are gone with it, and stand in what it shows."""
    if office.rehearses:
        return (
            f"Period {period} would not be closed: {_named(blocking)}. Correct the export and "
            "try again."
        )
    return (
        f"Period {period} is not closed: {_named(blocking)}. "
        f"See `{office.command} list exceptions --where period={period}`, "
        "correct the export and close again."
    )


def _named(blocking: tuple[CheckResult, ...]) -> str:
    return "; ".join(_name(result) for result in blocking)


def _name(result: CheckResult) -> str:
    if not result.accounts:
        return f"{result.check} failed"
    some = ", ".join(result.accounts[:NAMED])
    more = len(result.accounts) - NAMED
    return f"{result.check} failed for {some}" + (f" and {more} more" if more > 0 else "")
