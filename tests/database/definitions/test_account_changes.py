"""What the feed told of an account, against what its export says: the newest stands."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.definitions.account_changes import IN_FORCE, account_in_force, told_in_force
from database.tables import account, bill_run, delivery_plan, recipient
from domain.accounts import AccountStatus
from domain.deliveries import PaperReason
from domain.feeds import ChangeField
from mail.communications.audience import read_customers
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from mail.reminders.holds import has_value
from rules.feed import value_in_force
from tests.billing_system.feed.builders import at, tell_change
from tests.builders import RUN, a_household, empty, few_examples, stage_run

DAYS = {18: at("2026-11-18T17:00"), 20: at("2026-11-20T17:00"), 30: at("2026-11-30T17:00")}
OTHERS = dict.fromkeys(IN_FORCE, ("yes", "no")) | {
    ChangeField.STATUS: tuple(str(one) for one in AccountStatus)
}


def an_export(database, day: int, **values) -> None:
    stage_run(database, a_household("1", **values))
    with database.writing() as books:
        books.execute(bill_run.update().values(written_at=DAYS[day]))


def in_force(database, name: ChangeField):
    """One account's, and the same where everybody is asked for at once."""
    told = told_in_force(RUN, [name])
    of_all = sa.func.coalesce(told.c[name.value], account.c[name.value])
    query = (
        sa.select(
            account_in_force(account, name).label("found"),
            sa.type_coerce(of_all, account.c[name.value].type).label("of_all"),
        )
        .outerjoin_from(account, told, told.c.account_key == account.c.account_key)
        .where(account.c.period == RUN)
    )
    with database.reading() as books:
        found, of_all = books.execute(query).one()
    assert found == of_all
    return found


@pytest.mark.parametrize(("written", "expected"), [(18, True), (20, True), (30, False)])
@pytest.mark.parametrize("name", ["block_ach", "block_card", "direct_pay"])
def test_a_block_told_on_the_20th_stands_until_an_export_of_after_it(
    database, name, written, expected
):  # case 36; of the same moment the stricter stands
    an_export(database, written)
    tell_change(database, name, "yes", DAYS[20])

    assert expected is in_force(database, ChangeField(name))


@pytest.mark.parametrize(("written", "expected"), [(18, False), (20, True), (30, True)])
def test_a_block_that_is_lifted_is_lifted_by_the_newer_word_alone(database, written, expected):
    an_export(database, written, block_ach=True)
    tell_change(database, "block_ach", "no", DAYS[20])

    assert expected is in_force(database, ChangeField.BLOCK_ACH)


@pytest.mark.parametrize(("written", "expected"), [(18, True), (20, True), (30, False)])
@pytest.mark.parametrize("name", ["ebill", "send_paper"])
def test_the_way_of_a_bill_told_on_the_20th_stands_until_an_export_of_after_it(
    database, name, written, expected
):
    an_export(database, written, **{name: False})
    tell_change(database, name, "yes", DAYS[20])

    assert expected is in_force(database, ChangeField(name))


def test_a_customer_who_left_paperless_since_the_export_is_planned_on_paper(database):
    an_export(database, 18, ebill=True, send_paper=False)
    tell_change(database, "ebill", "no", DAYS[20])
    tell_change(database, "send_paper", "yes", DAYS[20])

    plan_deliveries(database, RUN, PlanTerms(to_landlords=False))

    with database.reading() as books:
        planned = books.execute(sa.select(delivery_plan.c.paperless, delivery_plan.c.paper)).one()
    assert (False, PaperReason.SEND_PAPER) == tuple(planned)


@pytest.mark.parametrize(
    ("written", "expected"), [(18, "9 New St"), (20, "9 New St"), (30, "1 Old St")]
)
@pytest.mark.parametrize("name", ["mailing_address", "name", "zip", "phone"])
def test_a_text_told_on_the_20th_stands_until_an_export_of_after_it(
    database, name, written, expected
):
    an_export(database, written, **{name: "1 Old St"})
    tell_change(database, name, "9 New St", DAYS[20])

    assert expected == in_force(database, ChangeField(name))


def test_a_text_that_is_emptied_is_empty(database):
    an_export(database, 18, phone="555-0101")
    tell_change(database, "phone", "", DAYS[20])

    assert "" == in_force(database, ChangeField.PHONE)


def recipients(database) -> list[str]:
    plan_deliveries(database, RUN, PlanTerms(to_landlords=False))
    with database.reading() as books:
        return sorted(books.scalars(sa.select(recipient.c.address)))


@pytest.mark.parametrize(
    ("written", "expected"),
    [(18, ["b@example.com", "c@example.com"]), (30, ["a@example.com"])],
)
def test_a_bill_goes_to_the_addresses_told_since_the_export(database, written, expected):
    an_export(database, written, ebill=True, email="a@example.com")
    tell_change(database, "email", "b@example.com;no-address; c@example.com", DAYS[20])

    assert expected == recipients(database)


def test_of_two_changes_of_an_address_the_newer_is_written_to_whichever_came_first(database):
    an_export(database, 18, ebill=True, email="a@example.com")
    tell_change(database, "email", "c@example.com", DAYS[30])
    tell_change(database, "email", "b@example.com", DAYS[20])

    assert ["c@example.com"] == recipients(database)


def test_an_account_whose_address_was_emptied_gets_paper(database):
    an_export(database, 18, ebill=True, send_paper=False, email="a@example.com")
    tell_change(database, "email", "", DAYS[20])

    sent = recipients(database)

    with database.reading() as books:
        reason = books.scalar(sa.select(delivery_plan.c.paper))
    assert ([], PaperReason.NO_VALID_EMAIL) == (sent, reason)


def test_an_account_that_is_closed_between_two_exports_is_closed(database):
    an_export(database, 18)
    tell_change(database, "status", "closed", DAYS[20])

    assert AccountStatus.CLOSED is in_force(database, ChangeField.STATUS)


@pytest.mark.parametrize(
    ("exported", "told", "expected"),
    [("active", "final", "final"), ("closed", "active", "closed"), ("final", "closed", "closed")],
)
def test_of_the_same_moment_the_feed_stands_but_for_a_closed_account(
    database, exported, told, expected
):
    an_export(database, 20, status=AccountStatus(exported))
    tell_change(database, "status", told, DAYS[20])

    assert AccountStatus(expected) is in_force(database, ChangeField.STATUS)


def test_what_is_told_of_another_account_changes_nothing(database):
    an_export(database, 18)
    tell_change(database, "block_ach", "yes", DAYS[20], key="2")

    assert False is in_force(database, ChangeField.BLOCK_ACH)


def test_an_export_that_does_not_say_when_it_was_written_counts_from_its_import(database):
    stage_run(database, a_household("1"))  # imported on the 2nd
    tell_change(database, "block_ach", "yes", at("2026-11-02T12:00"))
    before = in_force(database, ChangeField.BLOCK_ACH)
    tell_change(database, "block_ach", "yes", at("2026-11-02T14:00"))

    assert (False, True) == (before, in_force(database, ChangeField.BLOCK_ACH))


@few_examples
@given(data=st.data())
def test_the_books_say_what_the_rule_says(database, data):
    name = data.draw(st.sampled_from(IN_FORCE))
    values, days = st.sampled_from(OTHERS[name]), st.sampled_from(sorted(DAYS))
    exported, written = data.draw(values), data.draw(days)
    told = data.draw(st.lists(st.tuples(values, days), max_size=5))
    flag = AccountStatus(exported) if name is ChangeField.STATUS else exported == "yes"
    empty(database)
    an_export(database, written, **{name.value: flag})
    for value, day in told:
        tell_change(database, name.value, value, DAYS[day])

    found = in_force(database, name)

    expected = value_in_force(name, (exported, DAYS[written]), [(v, DAYS[d]) for v, d in told])
    said = str(found) if name is ChangeField.STATUS else "yes" if found else "no"
    assert expected == said


def test_a_mass_mail_by_zip_goes_to_who_lives_there_now(database):
    an_export(database, 18, email="a@example.com", zip="80501")
    tell_change(database, "zip", "80999", DAYS[20])
    tell_change(database, "email", "b@example.com", DAYS[20])

    with database.reading() as books:
        found = [
            [
                one.recipient.address
                for one in read_customers(books, RUN, where=where, to_landlords=False)
            ]
            for where in (["zip=80501"], ["zip=80999"])
        ]
    assert [[], ["b@example.com"]] == found


def test_a_hold_by_zip_is_of_who_lives_there_now(database):
    an_export(database, 18, zip="80501")
    tell_change(database, "zip", "80999", DAYS[20])

    with database.reading() as books:
        query = sa.select(sa.func.count()).select_from(account)
        held = [books.scalar(query.where(has_value("zip", one))) for one in ("80501", "80999")]
    assert [0, 1] == held


@pytest.mark.parametrize("name", ChangeField)
def test_accounts_are_asked_as_an_alias_of_them_is(name):
    """What is kept of the table itself is what is made anew of an alias."""
    other = account.alias("other")

    kept = str(sa.select(account_in_force(account, name)))

    assert kept == str(sa.select(account_in_force(account, name)))
    named = re.sub(r"\baccount\.", "other.", kept)
    named = re.sub(r"FROM account\b(?! AS)", "FROM account AS other", named)
    assert named == str(sa.select(account_in_force(other, name)))
