"""When refusals in a row are the relay's."""

from __future__ import annotations

import pytest

from rules.mail.refusals import is_relays_fault, refusal_reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param("550 5.1.1 (address): no such user", "5.1.1", id="the enhanced status"),
        pytest.param("550 5.7.26 not authenticated", "5.7", id="a policy"),
        pytest.param("554 5.7.1 relay denied", "5.7", id="another policy is the same one"),
        pytest.param("550 Daily quota exceeded", "550", id="without a status the code"),
        pytest.param("552 5.3.4 message too big", "", id="the message's own size"),
        pytest.param("554 5.3.4 message too big", "", id="the same under another code"),
        pytest.param("554 5.2.3 longer than this mailbox takes", "", id="the mailbox's limit"),
        pytest.param("552 Message exceeds the limit", "", id="its size, without a status"),
        pytest.param("450 4.2.0 later", "", id="not for good"),
        pytest.param("the bill is not in the books", "", id="our own words"),
    ],
)
def test_a_refusal_has_the_reason(error, expected):
    assert expected == refusal_reason(error)


def test_one_refusal_that_does_not_speak_of_us_leaves_three_to_be_the_mailboxes():
    errors = ["550 5.1.1 denied", "550 5.1.1 denied", "550 5.1.1 no such user"]

    assert not is_relays_fault(errors, many=10, nothing_else=True)


@pytest.mark.parametrize(
    ("error", "number", "nothing_else", "expected"),
    [
        pytest.param("550 5.1.1 no such user", 10, False, True, id="ten in a row"),
        pytest.param("550 5.1.1 no such user", 9, False, False, id="nine may be a bad day"),
        pytest.param("550 5.1.1 no such user", 5, True, True, id="five, and nothing else came"),
        pytest.param("550 5.1.1 no such user", 4, True, False, id="four mailboxes may be gone"),
        pytest.param("550 5.7.26 see our page", 3, True, True, id="three by a policy's status"),
        pytest.param("550 5.7.1 denied", 3, True, True, id="three that speak of us"),
        pytest.param("550 Sending quota exceeded", 3, True, True, id="a quota of ours"),
        pytest.param("550 5.7.1 denied", 2, True, False, id="two"),
    ],
)
def test_so_many_refusals_are_the_relays(error, number, nothing_else, expected):
    errors = [error] * number

    assert expected == is_relays_fault(errors, many=10, nothing_else=nothing_else)
    assert not is_relays_fault(errors, many=0, nothing_else=nothing_else)


@pytest.mark.parametrize(
    "words",
    ["policy", "relay", "quota to send", "sending limit", "rate limit", "too many", "spam",
     "blocked", "black-list", "reputation", "not allowed", "not permitted", "not authorized",
     "not authorised", "authentication", "denied", "suspended"],
)  # fmt: skip
def test_of_us_speaks(words):
    errors = [f"550 {words}"] * 3

    assert is_relays_fault(errors, many=10, nothing_else=True)
