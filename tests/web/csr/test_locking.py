"""Lock, unlock, deactivate, reactivate and delete at the console (rules 154-163, ruling 11)."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.definitions.in_force import link_in_force, wallet_in_force
from database.tables import scheduled_payment
from domain.customer_service import LockReason
from domain.identity import UserState
from domain.payments import PaymentState
from tests.web.csr.conftest import OAK_KEY
from tests.web.customers.conftest import ANN, Browser


def state_of(town) -> UserState:
    with town.office.database.reading() as books:
        return books.scalar(sa.select(web_user.c.state).where(web_user.c.number == town.ann))


def payment_of(town) -> PaymentState:
    with town.office.database.reading() as books:
        return books.scalar(sa.select(scheduled_payment.c.state))


def lock(browser: Browser, town, **fields: str):
    browser.get(f"{town.page}/lock")
    asked = {"reason": "compromised", "autopay": "keep"}
    return browser.post(f"{town.page}/lock", **asked | fields)


def unlock(browser: Browser, town, **fields: str):
    browser.get(f"{town.page}/unlock")
    return browser.post(f"{town.page}/unlock", **{"reason": "opted-in"} | fields)


def delete(browser: Browser, town, **fields: str):
    browser.get(f"{town.page}/delete")
    asked = {"note": "moves out of town", "told": "yes"}
    return browser.post(f"{town.page}/delete", **asked | fields)


def test_what_is_scheduled_is_listed_before_the_yes(csr, town):
    page = csr.get(f"{town.page}/lock").text

    assert "Scheduled and pending payments" in page
    assert "$80.00" in page and "Card ending 4242" in page and "Nov 13, 2026" in page
    assert "Yes, lock account</button>" in page and f'href="{town.page}">No</a>' in page


def test_rules_157_and_162_a_locked_customer_is_out_at_once_and_stays_out(csr, town, customer):
    ann = customer()

    answer = lock(csr, town, reason="opted-out")

    assert f"{town.page}?done=locked" == answer.headers["location"]
    assert UserState.LOCKED is state_of(town)
    assert 303 == ann.get("/").status_code
    assert 422 == ann.sign_in().status_code


def test_ruling_11_what_is_scheduled_of_a_locked_customer_goes_on(csr, town):
    lock(csr, town)

    assert PaymentState.SCHEDULED is payment_of(town)
    with town.office.database.reading() as books:
        linked = set(books.scalars(sa.select(link_in_force.c.account_key)))
    assert {OAK_KEY} == linked


def test_ruling_11_locking_ends_autopay_where_that_was_asked_for(csr, town):
    lock(csr, town, autopay="end")

    assert PaymentState.CANCELLED is payment_of(town)
    assert ["cancel autopay", "locked portal user"] == town.acts()[-2:]
    assert ["autopay ended", "locked"] == [kind for kind, _by, _detail in town.log()[-2:]]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Choose why."),
        ({"reason": "made up"}, "Choose why."),
        ({"reason": "other"}, "Say in a few words which other reason it is."),
        ({"autopay": ""}, "Choose what becomes of autopay."),
    ],
)
def test_without_a_reason_or_a_word_about_autopay_nothing_is_locked(csr, town, fields, sentence):
    answer = lock(csr, town, **fields)

    assert 422 == answer.status_code and sentence in answer.text
    assert UserState.ACTIVE is state_of(town)


def test_the_lock_stands_in_the_log_and_the_audit_list_with_who_and_why(csr, town):
    lock(csr, town, reason="other", note="reported by the police")

    assert ("locked", "csr 1", "other: reported by the police") == town.log()[-1]
    assert "locked portal user" == town.acts()[-1]
    assert "by csr 1: Another reason: reported by the police" in csr.get(town.page).text


@pytest.mark.parametrize("reason", [one for one in LockReason if one is not LockReason.OTHER])
def test_the_console_says_why_in_the_words_in_which_it_was_asked(csr, town, reason):
    asked = csr.get(f"{town.page}/lock").text
    lock(csr, town, reason=reason.value)

    page = csr.get(town.page).text

    (words,) = re.findall(r"by csr 1: ([^<]+)</p>", page)
    assert f">{words}</label>" in asked


def test_only_what_the_state_allows_is_offered(csr, town):
    before = csr.get(town.page).text
    lock(csr, town)
    after = csr.get(town.page).text

    assert "Lock account</button>" in before and "Unlock account</button>" not in before
    assert "Send password reset link" in before and "Generate recovery code" in before
    assert "Unlock account</button>" in after and "Lock account</button>" not in after
    assert "Send password reset link" not in after and "Generate recovery code" not in after


def test_locking_twice_says_that_it_was_done(csr, town):
    lock(csr, town)
    answer = csr.post(f"{town.page}/lock", reason="misuse", autopay="keep")

    assert 409 == answer.status_code and "locked already" in answer.text


def test_rule_163_unlocking_brings_the_customer_back_as_they_were(csr, town, customer):
    lock(csr, town)
    answer = unlock(csr, town)

    assert f"{town.page}?done=unlocked" == answer.headers["location"]
    assert 200 == customer().get("/").status_code


def test_rule_156_ten_failures_are_unlocked_too(csr, town, desk, customer):
    with town.office.database.writing() as books:
        books.execute(web_user.update().values(failures=10))

    page = csr.get(town.page).text
    unlock(csr, town, reason="failed-sign-ins")

    assert "Locked after ten failed sign-ins" in page and "Unlock account</button>" in page
    assert "Send password reset link" not in page  # unlock first: rule 154
    assert 200 == customer().get("/").status_code


def test_an_invited_customer_who_was_locked_is_an_invited_one_again(csr, town):
    with town.office.database.writing() as books:
        books.execute(web_user.update().values(state=UserState.INVITED))
    lock(csr, town)
    unlock(csr, town)

    assert UserState.INVITED is state_of(town)


def test_rule_161_a_deleted_portal_account_cancels_what_is_scheduled(supervisor, town, customer):
    ann = customer()

    answer = delete(supervisor, town)

    assert f"{town.page}?done=deleted" == answer.headers["location"]
    assert PaymentState.CANCELLED is payment_of(town)
    assert UserState.DELETED is state_of(town)
    assert 303 == ann.get("/").status_code and 422 == ann.sign_in().status_code


def test_nothing_of_a_deleted_portal_user_is_in_force(supervisor, town):
    delete(supervisor, town)

    with town.office.database.reading() as books:
        assert [] == books.execute(sa.select(link_in_force)).all()
        assert [] == books.execute(sa.select(wallet_in_force)).all()


def test_rule_161_the_customer_is_told_first(supervisor, town):
    answer = delete(supervisor, town, told="")

    assert 422 == answer.status_code and "Tell the customer which payments" in answer.text
    assert UserState.ACTIVE is state_of(town) and PaymentState.SCHEDULED is payment_of(town)


def test_a_csr_deletes_nobody(csr, town):
    refused = csr.get(f"{town.page}/delete")

    assert 403 == refused.status_code and '<a href="/csr">Go to the start page</a>' in refused.text
    assert 403 == csr.post(f"{town.page}/delete", note="x", told="yes").status_code
    assert UserState.ACTIVE is state_of(town)


def test_rule_163_a_deleted_one_is_brought_back_and_sets_a_password_anew(supervisor, town):
    delete(supervisor, town)
    answer = unlock(supervisor, town)
    page = supervisor.get(answer.headers["location"]).text

    assert "It has no password: send a create credentials link." in page
    assert "can sign in again" not in page
    assert UserState.INVITED is state_of(town)
    assert "Send create credentials link" in page and ANN in page
    assert PaymentState.CANCELLED is payment_of(town)
