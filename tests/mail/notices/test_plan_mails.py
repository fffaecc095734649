"""Mails about payment plans, and what reminders ask for while one is in force."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from database.ledger.entries import record_entries
from database.tables import delivery
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import PermanentFailure
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import Money
from domain.reminders import Skipped
from mail.letters.templates import Templates
from mail.notices.arrangements import PlanMails, queue_plan_mails, withdraw_plan_mails
from mail.outbox.deliveries import Delivery
from mail.rendering.arrangements import to_arrangement_letter
from mail.rendering.notice_facts import find_notice_facts
from mail.rendering.notice_letters import to_notice
from payments.arrangements import making
from payments.arrangements.making import ArrangingTerms, PlanWish
from payments.arrangements.settling import settle_arrangements
from tests.builders import a_household, close_run, stage_run
from tests.mail.reminder_builders import LATE_MAIL, local, mails, mark_all, queue

ELM, OAK = "01.1037.1", "01.1038.2"
KEY = account_key(ELM)
MADE = local("2026-11-18T09:00")
TERMS = ArrangingTerms(MADE, "anna")
PARTS = [(date(2026, 12, 1), Money(50_00)), (date(2027, 1, 4), Money(30_00))]


@pytest.fixture
def town(database):
    """Two households that owe 80.00 each, due on November 20."""
    stage_run(
        database,
        a_household(ELM, mandates=(), email="elm@example.com"),
        a_household(OAK, mandates=(), email="oak@example.com"),
    )
    close_run(database)
    return database


def arrange(database, dated=PARTS, terms=TERMS):
    return making.arrange(database, PlanWish(KEY, dated, "asked"), terms)


def night(database, at, **changes: Any):
    moment = local(f"{at}T06:00")
    settle_arrangements(database, moment, "night")
    terms = PlanMails(moment, "night", "larkspur.example", time(6), **changes)
    withdraw_plan_mails(database, terms)
    return queue_plan_mails(database, terms).queued


def pay(database, amount, at):
    moment = local(at)
    entry = BalanceEntry(
        f"paid/{at}", KEY, EntryKind.PAYMENT, -Money.parse(amount), moment.date(),
        EntrySource.CHECKOUT,
    )  # fmt: skip
    with database.writing() as books:
        record_entries(books, [entry], now=moment, who="anna")


def test_who_has_a_plan_gets_no_past_due_mail_and_is_counted(town):
    arrange(town)

    counts = queue(town, LATE_MAIL, "2026-11-21T06:00")

    assert [(OAK, "past-due", "oak@example.com")] == mails(town)
    assert {Skipped.ARRANGED: 1} == counts.skipped


def test_what_a_plan_leaves_out_is_past_due_by_itself_and_the_mail_says_that_much(town):
    arrange(town, [(date(2026, 12, 1), Money(60_00))])

    queue(town, LATE_MAIL, "2026-11-21T06:00")
    with town.reading() as books:
        (key,) = books.scalars(delivery.select().where(delivery.c.account == ELM))
    facts = find_notice_facts(town, [key])[key]
    common = {"form": "past-due", "utility": "", "period": "", "account": ELM}
    letter = to_notice(MessageKind.PAST_DUE, facts, date(2026, 11, 21), common, Money(60_00))

    assert (True, Money(20_00)) == (facts.has_plan, letter.open_balance)


def test_once_the_plan_is_broken_reminders_go_on(town):
    arrange(town, [(date(2026, 11, 18), Money(80_00))])

    night(town, "2026-11-22")
    queue(town, LATE_MAIL, "2026-11-22T06:00")

    assert (ELM, "past-due", "elm@example.com") in mails(town)
    assert (ELM, "arrangement-broken", "elm@example.com") in mails(town)


def test_the_plan_is_told_each_installment_is_reminded_of_and_a_broken_one_told_once(town):
    arrange(town)

    def nights(*days):
        for day in days:
            yield night(town, day)
            mark_all(town, DeliveryStatus.SENT)

    queued = list(nights("2026-11-19", "2026-11-27", "2026-11-28", "2026-11-30"))
    broken = list(nights("2026-12-05", "2026-12-05", "2026-12-06"))

    assert ([1, 0, 1, 0], [1, 0, 0]) == (queued, broken)
    assert ["arrangement", "arrangement-broken", "arrangement-installment"] == sorted(
        form for _, form, _ in mails(town)
    )


def test_an_installment_that_is_paid_is_not_reminded_of_and_a_waiting_mail_is_taken_out(town):
    arrange(town)
    night(town, "2026-11-28")
    before = [form for _, form, _ in mails(town)]

    pay(town, "50.00", "2026-11-29T12:00")
    night(town, "2026-11-30")
    paid = [form for _, form, _ in mails(town)]
    night(town, "2027-01-02")

    assert "arrangement-installment" in before
    assert "arrangement-installment" not in paid
    assert "arrangement-installment" in [form for _, form, _ in mails(town)]


def test_a_plan_that_waits_for_a_second_yes_is_told_to_nobody(town):
    arrange(town, terms=ArrangingTerms(MADE, "anna", people=2))
    waiting = night(town, "2026-11-19")
    making.approve(town, KEY, ArrangingTerms(MADE, "bob", people=2))
    approved = night(town, "2026-11-19")

    assert (0, 1) == (waiting, approved)


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_mail_says_how_the_plan_stands_when_it_leaves(town, language):
    arrange(town)
    night(town, "2026-11-28")
    words = {row.form: _word(town, row, language) for row in _rows(town)}
    making.cancel(town, KEY, "moved", TERMS)
    night(town, "2026-11-28")
    ended = {row.form: _word(town, row, language) for row in _rows(town)}

    assert "$80.00" in words["arrangement"].text and "$30.00" in words["arrangement"].html
    assert "$50.00" in words["arrangement-installment"].subject
    assert ["arrangement-ended"] == list(ended)
    assert ELM in ended["arrangement-ended"].subject


def test_a_reminder_of_what_was_paid_meanwhile_says_nothing(town):
    arrange(town)
    night(town, "2026-11-28")
    reminder = next(row for row in _rows(town) if row.form.endswith("installment"))

    pay(town, "50.00", "2026-11-28T07:00")

    with pytest.raises(PermanentFailure):
        _word(town, reminder, "en")


def _rows(database):
    names = list(Delivery.__dataclass_fields__)
    with database.reading() as books:
        rows = books.execute(delivery.select().where(delivery.c.kind == MessageKind.ARRANGEMENT))
        return [Delivery(**{name: row[name] for name in names}) for row in rows.mappings()]


def _word(database, row, language):
    facts = find_notice_facts(database, [row.key])[row.key]
    common = {
        "form": row.form, "utility": facts.utility, "period": facts.period,
        "account": row.account, "language": language,
    }  # fmt: skip
    return Templates(None).word(to_arrangement_letter(database, row, facts, common))
