"""Payment arrangements, as the office's command and pages, customers' pages and nights do them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from database.queries.arrangements.reading import newest_plan
from database.queries.periods import newest_exported_account
from domain.accounts import account_key
from domain.arrangements import Arrangement, Installment, PlanStanding
from domain.failures import Misuse
from domain.money import Money
from mail.notices.arrangements import PlanMails, queue_plan_mails, withdraw_plan_mails
from office.equipment.office import Office
from payments.arrangements import making
from payments.arrangements.making import ArrangingTerms, PlanFacts, PlanWish
from payments.arrangements.settling import SettleCounts, settle_arrangements
from rules.money.arrangements import (
    CustomerLimits,
    CustomerRefusal,
    DatedAmounts,
    Every,
    refuse_customer,
    spread,
)

Figures = dict[str, Any]


def find_facts(office: Office, number: str) -> PlanFacts:
    """Return what an account has that a plan can be made of; raises Misuse for an unknown one."""
    key = account_key(number)
    with office.database.reading() as books:
        if not key or newest_exported_account(books, key) is None:
            raise Misuse(
                f"No period in the books has an account {number}; check its number.",
                "unknown-account",
            )
        return making.read_facts(books, key)


def look(office: Office, number: str, dated: DatedAmounts, reason: str) -> list[Installment]:
    """Decide what a plan would be, and write nothing; raises what `set_up` does."""
    key = find_facts(office, number).account_key
    return making.look(office.database, PlanWish(key, dated, reason), _terms(office))


def set_up(office: Office, number: str, dated: DatedAmounts, reason: str) -> Arrangement:
    """
    Set up a plan of an account, and let the mail that tells it wait; raises Misuse and Refused.

    With four eyes it waits for another person's yes, and nobody is written to before.
    """
    key = find_facts(office, number).account_key
    made = making.arrange(office.database, PlanWish(key, dated, reason), _terms(office))
    _tell(office)
    return made


def approve(office: Office, number: str) -> Arrangement:
    """Say the second yes to an account's plan; raises Misuse and Refused."""
    key = find_facts(office, number).account_key
    approved = making.approve(office.database, key, _terms(office))
    _tell(office)
    return approved


def cancel(office: Office, number: str, reason: str) -> Arrangement:
    """End an account's plan: all that is open is due again; raises Misuse."""
    key = find_facts(office, number).account_key
    ended = making.cancel(office.database, key, reason, _terms(office))
    withdraw_plan_mails(office.database, plan_mails(office))
    _tell(office)
    return ended


def set_up_own(
    office: Office, key: str, dated: DatedAmounts, reason: str, who: str
) -> CustomerRefusal | Arrangement:
    """Set up a plan that a customer makes, within the office's limits; raises Misuse."""
    terms = replace(_terms(office), who=who, origin="")
    wish = PlanWish(key, dated, reason)
    made = making.arrange_own(office.database, wish, terms, limits(office))
    if isinstance(made, Arrangement):
        _tell(office)
    return made


def plan_with_standing(office: Office, key: str) -> tuple[Arrangement, PlanStanding] | None:
    """Return an account's newest plan and how it stands by the ledger; None without one."""
    with office.database.reading() as books:
        plan = newest_plan(books, key)
        if plan is None:
            return None
        return plan, making.standing_now(books, plan, office.due_now())


def may_customer(office: Office, key: str, today: date) -> tuple[PlanFacts, CustomerRefusal | None]:
    """Return what a customer's plan could be of, and why they may make none; raises Misuse."""
    with office.database.reading() as books:
        facts = making.read_facts(books, key)
        situation = making.situation_of(books, facts)
    return facts, refuse_customer(situation, limits(office), today)


def limits(office: Office) -> CustomerLimits:
    """Return within what customers may make a plan of their own."""
    chosen = office.settings.arrangements
    return CustomerLimits(
        chosen.by_customers,
        chosen.most_installments,
        chosen.most_days,
        Money.parse(chosen.smallest_installment),
        Money.parse(chosen.most_open),
        chosen.rest_days,
    )


def to_dates(
    office: Office, number: str, amount: Money | None, installments: int, first: date, every: Every
) -> DatedAmounts:
    """Split an amount, or all that is open, evenly over dates; raises Misuse."""
    return spread(amount or find_facts(office, number).payable, installments, first, every)


def plan_mails(office: Office, *, records: bool = True, left_out: Any = ()) -> PlanMails:
    """Return on what terms this office writes about plans."""
    return PlanMails(
        office.due_now(),
        office.who,
        office.message_domain,
        office.reminders_plan.at,
        office.settings.arrangements.days_before,
        records,
        frozenset(left_out),
    )


def bring_up_to_date(office: Office, left_out: Any = (), *, records: bool = True) -> Figures:
    """
    Bring all plans to where the ledger has them, and record the mails that they owe.

    Once, however often it is done; figures as programs read them. Without `records` it only looks.
    """
    now, database = office.due_now(), office.database
    counts = settle_arrangements(database, now, office.who, frozenset(left_out), records=records)
    mails = plan_mails(office, records=records, left_out=left_out)
    withdrawn = withdraw_plan_mails(database, mails) if records else 0
    queued = queue_plan_mails(database, mails)
    return _figures(counts) | {
        "queued": queued.queued,
        "withdrawn": withdrawn,
        "skipped": {why.value: number for why, number in sorted(queued.skipped.items())},
    }


def _figures(counts: SettleCounts) -> Figures:
    return {
        "kept": counts.kept,
        "broken": counts.broken,
        "in_force_again": counts.in_force_again,
        "waiting_for_a_payment": counts.waiting,
    }


def _terms(office: Office) -> ArrangingTerms:
    chosen = office.settings.arrangements
    return ArrangingTerms(
        office.due_now(), office.who, office.origin, chosen.grace_days, chosen.people
    )


def _tell(office: Office) -> None:
    queue_plan_mails(office.database, plan_mails(office))
