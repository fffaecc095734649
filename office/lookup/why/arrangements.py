"""Why an account is not dunned, or all of it is due: its payment arrangement and its end."""

from __future__ import annotations

from database.definitions.arrangements import arrangement
from database.queries.arrangements.reading import read_plans
from domain.arrangements import Arrangement, ArrangementState, PlanStanding
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day
from payments.arrangements.making import standing_now


def why_arrangements(case: Case) -> Sentences:
    """Say of each plan of the account what was agreed, what is paid by the ledger, and its end."""
    if not case.is_newest:
        return
    for plan in read_plans(case.books, arrangement.c.account_key == case.account_key):
        yield _of_agreeing(case, plan)
        yield _of_standing(case, plan, standing_now(case.books, plan, case.now))


def _of_agreeing(case: Case, plan: Arrangement) -> Sentence:
    parts = ", ".join(
        f"{one.amount.dollars()} by {say_day(one.due_on)}" for one in plan.installments
    )
    by = "the customer" if plan.by_customer else plan.made_by
    text = (
        f"A payment arrangement of {plan.amount.dollars()} was made {case.say_time(plan.made_at)} "
        f"by {by}: {parts}; {plan.reason}"
    )
    if plan.approved_by:
        text += f"; {plan.approved_by} said yes to it"
    return Sentence(Topic.REMINDER, text, ("90",), f"arrangement/{plan.number}")


def _of_standing(case: Case, plan: Arrangement, standing: PlanStanding) -> Sentence:
    about = f"arrangement/{plan.number}"
    paid = f"{standing.paid.dollars()} was paid since, as the ledger has it"
    if plan.state is ArrangementState.WAITING:
        text = "It waits for another person's yes; until then reminders go on as without it"
        return Sentence(Topic.REMINDER, text, (), about)
    if plan.state is not ArrangementState.IN_FORCE:
        by = f" by {plan.ended_by}" if plan.state is ArrangementState.ENDED else ""
        ended = f"It is {plan.state} since {case.say_time(plan.ended_at)}{by}: {plan.end_reason}"
        return Sentence(Topic.REMINDER, ended, ("90",), about)
    following = standing.next
    text = f"It is in force; {paid}"
    if following is not None:
        text += (
            f"; {following.open.dollars()} is due by {say_day(following.due_on)}, and the plan "
            f"breaks if that is not paid by {say_day(following.last_day)}"
        )
    return Sentence(Topic.REMINDER, text, ("90",), about)
