"""Each exception and each refusal: what was found, what a person does, who was told."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.feed.tables import customer_choice
from database.ledger.tables import account_change
from database.tables import check_result
from domain.feeds import ChoiceState
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic
from office.procedures.exceptions import select_exceptions
from reporting.run_sheet.exceptions import FIXES

CHOICES = {
    ChoiceState.WAITING: "waits to be told to the billing system",
    ChoiceState.TOLD: "was told to the billing system, which has not answered",
    ChoiceState.TAKEN: "was taken by the billing system",
    ChoiceState.REFUSED: "was refused by the billing system",
}


def why_problems(case: Case) -> Sentences:
    """Say of each exception of the period what it is and what to do; and of each change."""
    for row in case.rows(_exceptions(case)):
        yield _of_an_exception(row)
    if case.is_newest:
        for row in case.rows(_choices(case)):
            yield _of_a_choice(case, row)
        for row in case.rows(_told(case)):
            told = f"The billing system told {case.say_time(row.told_at)}"
            text = f"{told}: {row.field} is {row.value or 'empty'}"
            yield Sentence(Topic.BALANCE, text, ("138",), f"change/{row.id}")


def exception_key(row: Any) -> str:
    """Name an exception by all that it says."""
    return f"exception/{row.stage}/{row.code}/{row.message}"


def _exceptions(case: Case) -> sa.Select[Any]:
    found = select_exceptions(case.office).subquery("found")
    periods = [case.period, ""] if case.is_newest else [case.period]
    return (
        sa.select(found, check_result.c.what, check_result.c.fix, check_result.c.status)
        .outerjoin(
            check_result,
            sa.and_(
                found.c.stage == "check",
                check_result.c.period == found.c.period,
                check_result.c.check_name == found.c.code,
            ),
        )
        .where(found.c._account_key == case.account_key, _of_periods(case, found, periods))
        .order_by(found.c.stage, found.c._position, found.c.message)
    )


def _of_periods(case: Case, found: Any, periods: list[str]) -> sa.ColumnElement[bool]:
    of_these = found.c.period.in_(periods)
    return sa.or_(of_these, found.c.period.is_(None)) if case.is_newest else of_these


def _of_an_exception(row: Any) -> Sentence:
    what = f"{row.what.rstrip('.')}: {row.message}" if row.what else row.message
    fix = row.fix or FIXES.get(row.code, "")
    status = f" ({row.status})" if row.status else ""
    text = f"{row.stage} {row.code}{status}: {what}"
    if fix:
        text += f". What to do: {fix.rstrip('.')}"
    return Sentence(Topic.EXCEPTION, text, (), exception_key(row))


def _choices(case: Case) -> sa.Select[Any]:
    rows = customer_choice.c
    return (
        sa.select(customer_choice).where(rows.account_key == case.account_key).order_by(rows.number)
    )


def _of_a_choice(case: Case, row: Any) -> Sentence:
    reason = f": {row.reason}" if row.reason else ""
    text = (
        f"{row.by} chose {row.field} = {row.value} {case.say_time(row.at)}; it "
        f"{CHOICES[row.state]}{reason}"
    )
    return Sentence(Topic.DELIVERY, text, ("31", "32"), f"choice/{row.number}")


def _told(case: Case) -> sa.Select[Any]:
    rows = account_change.c
    return sa.select(account_change).where(rows.account_key == case.account_key).order_by(rows.id)
