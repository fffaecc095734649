"""Every way of telling people from programs keeps one contract."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from domain.failures import TemporaryFailure
from identity.bot_check.altcha import Altcha
from identity.bot_check.passing import GOOD_FOR, has_passed, let_pass
from identity.bot_check.port import NoBotCheck
from identity.bot_check.turnstile import Turnstile
from tests.builders import NOW
from tests.identity.bot_check.solving import answer_of, solve, written
from tests.identity.bot_check.turnstile_service import SECRET, SITE_KEY, turnstile_service

ANN, BOB = "a" * 64, "b" * 64
ALTCHA = Altcha(b"k" * 32, work=200)


@pytest.fixture(scope="module")
def service():
    with turnstile_service() as found:
        yield found


@pytest.fixture
def turnstile(service):
    service.says = None
    return Turnstile(SITE_KEY, SecretStr(SECRET), service.url)


@pytest.fixture(params=["altcha", "turnstile"])
def check(request):
    return ALTCHA if request.param == "altcha" else request.getfixturevalue("turnstile")


def test_a_persons_answer_lets_one_guest_pass_once(check, database):
    answer = answer_of(check.ask(NOW))
    verdict = check.verify(answer, NOW)
    again = check.verify(answer, NOW)

    with database.writing() as books:
        passed = [
            let_pass(books, one, guest, NOW) for one in (verdict, again) for guest in (ANN, BOB)
        ]
        known = [has_passed(books, guest, NOW) for guest in (ANN, BOB)]

    assert [True, False, False, False] == passed
    assert [True, False] == known


@pytest.mark.parametrize("answer", ["", "robot", "x" * 5_000, "ñ", "e30=", "bnVsbA==", "W10="])
def test_no_other_answer_is_a_persons(check, answer):
    verdict = check.verify(answer, NOW)

    assert (False, "") == (verdict.is_person, verdict.once)


def test_a_pass_is_as_long_as_the_guests_cookie_and_then_forgotten(check, database):
    later = NOW + GOOD_FOR
    with database.writing() as books:
        let_pass(books, check.verify(answer_of(check.ask(NOW)), NOW), ANN, NOW)
        known = [has_passed(books, ANN, now) for now in (later - timedelta(seconds=1), later)]

    assert [True, False] == known


def test_no_check_asks_nothing_and_takes_everybody():
    check = NoBotCheck()
    question = check.ask(NOW)

    assert ("none", "", "") == (question.kind, question.script, question.field)
    assert check.verify("", NOW).is_person


def test_no_secret_shows(check):
    assert SECRET not in repr(check) and "k" * 32 not in repr(check)


def test_a_proof_of_work_is_good_for_its_time():
    question = ALTCHA.ask(NOW)
    answer = solve(question.values)

    assert ALTCHA.verify(answer, NOW + timedelta(minutes=20)).is_person
    assert not ALTCHA.verify(answer, NOW + timedelta(minutes=20, seconds=1)).is_person


def test_nobody_makes_a_challenge_of_their_own():
    foreign = Altcha(b"x" * 32, work=200).ask(NOW)

    assert not ALTCHA.verify(solve(foreign.values), NOW).is_person


@pytest.mark.parametrize(
    "changes",
    [
        {"number": -1},
        {"number": True},
        {"number": "12"},
        {"number": 10**9},
        {"algorithm": "SHA-1"},
        {"challenge": "0" * 64},
        {"signature": "0" * 64},
        {"salt": 7},
        {"salt": "ñ"},
    ],
)
def test_a_changed_answer_proves_nothing(changes):
    asked = ALTCHA.ask(NOW).values

    assert not ALTCHA.verify(solve(asked, **changes), NOW).is_person


def test_no_digit_moves_from_the_number_to_the_date_before_it():
    asked = next(
        one
        for one in (ALTCHA.ask(NOW).values for _ in range(400))
        if json.loads(base64.b64decode(solve(one)))["number"] >= 10
    )
    told = json.loads(base64.b64decode(solve(asked)))
    first, rest = str(told["number"])[0], str(told["number"])[1:]
    longer = told | {"salt": told["salt"] + first, "number": int(rest)}
    inside = told | {"salt": told["salt"][:-1] + first + "&", "number": int(rest)}

    assert [False, False] == [
        ALTCHA.verify(written(one), NOW + timedelta(hours=1)).is_person for one in (longer, inside)
    ]


@pytest.mark.parametrize(
    "says",
    [
        (500, "{}"),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"success": "yes"}'),
        (200, '{"success": false, "error-codes": ["internal-error"]}'),
        (200, '{"success": false, "error-codes": ["invalid-input-secret"]}'),
    ],
)
def test_what_is_neither_yes_nor_no_is_nobodys_fault_and_lets_nobody_in(turnstile, service, says):
    service.says = says

    with pytest.raises(TemporaryFailure) as failure:
        turnstile.verify("person-9", NOW)

    assert SECRET not in str(failure.value)


def test_a_service_that_nobody_reaches_is_said_to_be_silent():
    with turnstile_service() as gone:
        url = gone.url

    with pytest.raises(TemporaryFailure, match="did not answer"):
        Turnstile(SITE_KEY, SecretStr(SECRET), url).verify("person-9", NOW)


def test_turnstile_hears_the_token_and_nothing_of_the_visitor(turnstile, service):
    turnstile.verify("person-alone", NOW)

    assert {"secret": [SECRET], "response": ["person-alone"]} == service.asked[-1]
