"""Why a reminder is owed, was sent, or is not: by the rule that selects who is reminded."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.queries.balances import read_open_balance
from database.tables import account, delivery, reminder_hold
from domain.deliveries import MessageKind
from domain.money import ZERO
from domain.reminders import EXEMPTIONS, Skipped
from mail.reminders.due_dates import DueDate, due_dates
from mail.reminders.holds import Hold, list_holds
from mail.reminders.selection import debts, read_debtors
from office.lookup.why.bill import is_held_back
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day
from rules.mail.reminders import OwedStep, ReminderStep, StepStanding

NAMES = {MessageKind.PAYMENT_DUE: "payment-due", MessageKind.PAST_DUE: "past-due"}
SKIPPED = {
    Skipped.HELD: ("a check was waived for it or the office holds its reminders", ()),
    Skipped.ARRANGED: ("what is owed is in a payment arrangement, which is kept", ("90",)),
    Skipped.PAYMENT_UNDER_WAY: (
        "a payment of it is on its way, and what comes of it is not known yet",
        ("ruling 14",),
    ),
    Skipped.AUTOPAY: ("autopay is going to pay", ("95", "ruling 19")),
    Skipped.NO_ADDRESS: ("there is no address to remind it at", ("22",)),
    Skipped.SUPPRESSED: ("mails to all its addresses come back", ()),
    Skipped.TOO_LATE: ("it is too late for it", ("ruling 17",)),
    **{kind: (words, ("ruling 20",)) for kind, words in EXEMPTIONS.items()},
}


def why_reminders(case: Case) -> Sentences:
    """Say of each step of the ladder why its mail is recorded, or why there is none."""
    yield from _of_holds(case)
    if case.bill_run.closed_at is None:
        return
    if case.balance is None:
        if is_held_back(case):
            text = f"Nobody is reminded of {case.period}: its bill is held back"
            yield Sentence(Topic.REMINDER, text, ("90",), f"reminder/{case.period}")
        return
    if not case.is_newest:
        text = f"Nobody is reminded of {case.period}: {_of_what_stands(case)}"
        yield Sentence(Topic.REMINDER, text, ("40", "90"), f"reminder/{case.period}")
        return
    terms = case.office.reminders_terms(case.now, records=False)
    due = next(
        (one for one in due_dates(case.books, case.now, case.period)
         if one.due_on == case.balance.due_on),
        None,
    )  # fmt: skip
    if due is None:
        return
    owed = {one.step.form: one for one in due.owed(terms.plan)}
    for step in terms.plan.steps:
        yield _of_a_step(case, due, step, owed.get(step.form))


def _of_what_stands(case: Case) -> str:
    if case.balance.period is None:
        return "the balance stands for no bill, as its bill is held back or was taken back"
    return f"the balance stands with the bill of {case.balance.period}"


def _of_holds(case: Case) -> Sentences:
    """Say who keeps past-due mails from the account, or from a group that it is in."""
    for hold in list_holds(case.books) if case.is_newest else ():
        if not _is_about(case, hold):
            continue
        of_whom = f" for all with {hold.subject}" if hold.column_name else ""
        text = (
            f"Hold {hold.number}{of_whom} keeps past-due mails back from "
            f"{case.say_time(hold.placed_at)} until {say_day(hold.until)}, placed by "
            f"{hold.placed_by}: {hold.reason}"
        )
        if hold.lifted_at is not None:
            text += f"; it was lifted {case.say_time(hold.lifted_at)}"
        yield Sentence(Topic.REMINDER, text, ("92",), f"hold/{hold.number}")


def _is_about(case: Case, hold: Hold) -> bool:
    if hold.column_name is None:
        return hold.account_key == case.account_key
    mine = account.c.period == case.period, account.c.account_key == case.account_key
    return case.books.execute(
        sa.select(account.c.account).where(*mine, hold.of_the_group())
    ).first() is not None  # fmt: skip


def _of_a_step(case: Case, due: DueDate, step: ReminderStep, owed: OwedStep | None) -> Sentence:
    name = NAMES[step.kind] + ("" if step.form == step.kind else f" ({step.form})")
    rules = ("90", "93" if step.kind is MessageKind.PAYMENT_DUE else "92")
    about = f"reminder/{case.period}/{step.form}"
    sent = _recorded(case, due, step)
    if sent:
        text = f"The {name} mail of {say_day(due.due_on)} was recorded for {sent} addresses"
        return Sentence(Topic.REMINDER, text.replace("1 addresses", "1 address"), rules, about)
    words, more = _why_none(case, due, step, owed)
    return Sentence(Topic.REMINDER, f"No {name} mail, because {words}", (*rules, *more), about)


def _recorded(case: Case, due: DueDate, step: ReminderStep) -> int:
    rows = delivery.c
    return case.books.scalar(
        sa.select(sa.func.count()).where(
            rows.period == case.period,
            rows.account_key == case.account_key,
            rows.kind == step.kind,
            rows.form == step.form,
            rows.key.contains(due.due_on.isoformat(), autoescape=True),
        )
    ) or 0  # fmt: skip


def _why_none(
    case: Case, due: DueDate, step: ReminderStep, owed: OwedStep | None
) -> tuple[str, tuple[str, ...]]:
    terms = case.office.reminders_terms(case.now, records=False)
    balance = read_open_balance(case.books, case.account_key)
    if balance <= ZERO:
        return f"nothing is owed (the balance is {balance.dollars()})", ("ruling 15",)
    standing = terms.plan.standing(step, due.due_on, case.now, case.zone)
    day = terms.plan.day_of(step, due.due_on)
    if standing is StepStanding.NOT_YET:
        return f"its time is {say_day(day)} at {terms.plan.at:%H:%M}", ("91",)
    if standing is StepStanding.TOO_LATE:
        last = terms.plan.last_day_of(step, due.due_on)
        return f"it makes sense until {say_day(last)}, and that day is past", ("ruling 17",)
    if owed is None:
        return "a later step of the ladder takes its place", ("91",)
    return _why_not_reminded(case, due, owed, terms)


def _why_not_reminded(
    case: Case, due: DueDate, owed: OwedStep, terms: Any
) -> tuple[str, tuple[str, ...]]:
    """Ask the selection itself for this account: what it leaves out has its reason there."""
    found = debts(due, owed.step.kind, terms, owed)
    row = case.books.execute(
        sa.select(found).where(found.c.account_key == case.account_key)
    ).first()
    if row is None:
        if owed.below is not None or owed.step.smallest > ZERO:
            return "its balance is not within this step's bounds, or the account is closed", ("91",)
        return "the account is closed", ()
    if row.reason is None:
        (debtor,) = read_debtors(
            case.books, case.period, found, found.c.account_key == case.account_key
        )
        if debtor.skipped is None:
            return "`billclose remind` has not run since it is owed", ("91", "ruling 17")
        return SKIPPED[debtor.skipped]
    words, rules = SKIPPED[Skipped(row.reason)]
    if row.hold is not None and row.reason == Skipped.HELD:
        hold = case.books.execute(
            sa.select(reminder_hold).where(reminder_hold.c.number == row.hold)
        ).one()
        words = f"hold {hold.number} keeps it back until {say_day(hold.until)}: {hold.reason}"
    return words, rules
