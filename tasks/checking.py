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
from database.tables import held_account, waiver
from domain.checks import CheckResult, CheckStatus
from domain.failures import Refused
from domain.steps import Step
from mail.recipients.delivery_plan import plan_deliveries
from office.equipment.office import Office, office
from payments.scheduling.planning import plan_autopay
from tasks.artifacts import show_checks, show_exceptions
from tasks.step import Done, step

NAMED = 5  # accounts that a sentence names


@step(Step.CHECK)
def check_bills_and_balances(run: str, waivers: Mapping[str, str] | None = None) -> Done:
    """
    Plan how bills go out and what autopay draws, then check everything; refuse what blocks.

    A refused run keeps its staged rows and findings, so that a person can look; its bill
    documents are taken back, and nothing of it shows.
    """
    here = office()
    known = get_run(here.database, run)
    if known.is_closed:
        return Done("checked before the close")

    results = _check(here, known, waivers or {})
    show_checks(here.database, run)
    show_exceptions(here, run)
    blocking = blocking_failures(results)
    if blocking:
        _refuse(here, known, blocking)
    warned = sum(result.status is CheckStatus.WARNED for result in results)
    waived = sum(result.status is CheckStatus.WAIVED for result in results)
    sentence = f"{len(results)} checks, none blocks"
    if warned:
        sentence += f", {warned} warn"
    if waived:
        sentence += f", {waived} waived"
    return Done(sentence, {"checks": len(results), "warned": warned, "waived": waived})


def _check(here: Office, known: Run, waivers: Mapping[str, str]) -> tuple[CheckResult, ...]:
    run = known.run
    here.bill_renderer.check()
    _record_waivers(here, known, waivers)
    plan_deliveries(
        here.database,
        run,
        to_landlords=here.settings.ebill.landlords,
        password=here.settings.ebill.password,
        largest_bill=None if here.size_limit.link else here.size_limit.largest_attachment,
    )
    plan_boundary(here.database, run, here.settings.checks.posting_days)
    _plan_autopay(here, known)
    results = check_run(
        here.database,
        run,
        today=here.today(known),
        thresholds=here.thresholds,
        waived=_waivers(here, run),
    )
    if _holds_accounts(here, run):
        _plan_autopay(here, known)  # once more: held accounts are not drawn
    return results


def _plan_autopay(here: Office, known: Run) -> None:
    plan_autopay(
        here.database,
        known.run,
        today=here.today(known),
        closed=here.bank_days,
        policy=here.autopay_policy,
    )


def _record_waivers(here: Office, known: Run, waivers: Mapping[str, str]) -> None:
    """Write down who waives which check and why; raises Misuse or Refused for a wrong name."""
    require_waivable(waivers)
    with here.database.writing() as books:
        record_waivers(books, known.run, waivers, at=here.now(known), who=here.who)


def _waivers(here: Office, run: str) -> dict[str, str]:
    with here.database.reading() as books:
        rows = books.execute(
            sa.select(waiver.c.check_name, waiver.c.reason).where(waiver.c.run == run)
        )
        return {row.check_name: row.reason for row in rows}


def _holds_accounts(here: Office, run: str) -> bool:
    with here.database.reading() as books:
        held = sa.select(held_account.c.run).where(held_account.c.run == run).limit(1)
        return books.execute(held).first() is not None


def _refuse(here: Office, known: Run, blocking: tuple[CheckResult, ...]) -> None:
    message = f"Period {known.run} is not closed: {_named(blocking)}. "
    message += f"See `{here.command} list exceptions --where period={known.run}`, "
    message += "correct the export and close again."
    here.store.delete_run(bill_folder(here.database, known.run))
    forget_steps(here.database, known.run, (Step.SPLIT,))
    with here.database.writing() as books:
        move_run(books, known.run, "refused")
        record_audit(books, here.now(known), here.who, "refuse", known.run, _named(blocking))
    raise Refused(blocking[0].check, message)


def _named(blocking: tuple[CheckResult, ...]) -> str:
    return "; ".join(_name(result) for result in blocking)


def _name(result: CheckResult) -> str:
    if not result.accounts:
        return f"{result.check} failed"
    some = ", ".join(result.accounts[:NAMED])
    more = len(result.accounts) - NAMED
    return f"{result.check} failed for {some}" + (f" and {more} more" if more > 0 else "")
