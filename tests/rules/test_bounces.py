"""What follows from a bounce."""

from __future__ import annotations

import pytest

from domain.bounces import BounceKind, Judgement
from rules.mail.bounces import SUCCESSES, is_worn_out, judge, say_why

HARD, SOFT, UNKNOWN = BounceKind.HARD, BounceKind.SOFT, BounceKind.UNKNOWN
GONE = Judgement(HARD, fails=True, suppresses=True)


OURS = [
    "550 5.1.1 rejected by policy",
    "5.1.0 - Unknown address error 550-'5.7.1 Access denied'",
    "550 daily quota exceeded",
    "550 rate limit, slow down",
    "554 too many messages",
    "550 mailbox full",
    "550 sender is on a blocklist",
    "550 the check of the address timed out",
]


@pytest.mark.parametrize(
    "status",
    ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.1.351", "5.2.1", "5.4.1", "5.4.4"],
)
def test_a_mailbox_that_is_gone_is_written_to_no_more(status):
    assert GONE == judge("failed", status, "550 the server says no")


@pytest.mark.parametrize(
    "diagnostic",
    [
        "550 User unknown",
        "550 No such user here",
        "550 ann@rate-limit.example: user does not exist",
        "554 This account has been disabled",
        "550 Requested mailbox not found",
        "550 Not our customer",
    ],
)
def test_a_server_without_a_status_may_say_in_words_that_nobody_is_there(diagnostic):
    assert GONE == judge("failed", "5.0.0", diagnostic)
    assert not judge("failed", "5.0.0", "550 I do not like you").suppresses


@pytest.mark.parametrize("status", ["5.1.1", "5.1.0", "5.4.1", "5.0.0", "5.2.1"])
@pytest.mark.parametrize("diagnostic", OURS)
def test_no_mailbox_rests_for_a_policy_a_quota_or_a_rate(status, diagnostic):
    assert Judgement(HARD, fails=True) == judge("failed", status, f"{diagnostic}; user unknown")


def test_what_was_read_out_of_words_failed_and_no_mailbox_rests_for_it():
    assert Judgement(HARD, fails=True) == judge("failed", "5.1.1", "user unknown", in_words=True)


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        pytest.param("failed", "5.2.2", Judgement(HARD, fails=True), id="full, for good"),
        pytest.param("failed", "5.1.100", Judgement(HARD, fails=True), id="not 5.1.10"),
        pytest.param("failed", "5.7.1", Judgement(HARD, fails=True, alerts=True), id="policy"),
        pytest.param("failed", "4.4.7", Judgement(SOFT, fails=True), id="expired in the queue"),
        pytest.param("failed", "4.7.0", Judgement(SOFT, fails=True), id="policy, for now"),
        pytest.param("delayed", "4.4.1", Judgement(SOFT), id="late"),
        pytest.param("delayed", "5.1.1", Judgement(SOFT), id="late, whatever the status"),
        pytest.param("failed", "", Judgement(UNKNOWN), id="no status"),
        pytest.param("failed", "2.0.0", Judgement(UNKNOWN), id="a status of success"),
        pytest.param("", "5.1.1", Judgement(UNKNOWN), id="no action"),
        pytest.param("exploded", "5.1.1", Judgement(UNKNOWN), id="an action nobody knows"),
    ],
)
def test_a_bounce_means(action, status, expected):
    assert expected == judge(action, status)


def test_three_runs_of_soft_failures_wear_a_mailbox_out():
    assert [False, False, True, True] == [is_worn_out(runs) for runs in (1, 2, 3, 4)]


def test_the_reason_is_in_words_of_our_own():
    assert "5.1.1 no such mailbox" == say_why("5.1.1")
    assert "5.0.0 user unknown" == say_why("5.0.0")
    assert "4.2.2 failed in 3 runs" == say_why("4.2.2")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.1.0", "the mail server does not know the address"),
        ("5.1.2", "no such mail domain"),
        ("5.1.3", "the mail server finds the address wrong"),
        ("5.1.6", "the mailbox has moved"),
        ("5.1.10", "the mail domain takes no mail"),
        ("5.1.351", "no such mailbox"),
        ("5.2.1", "the mailbox is switched off"),
        ("5.4.1", "the mail domain does not take mail for this address"),
        ("5.4.4", "no way to the mail domain"),
        *((status, "user unknown") for status in ("5.0.0", "5.3.0", "5.5.0", "5.5.4")),
    ],
)
def test_a_clerk_reads_in_words_why_a_mailbox_is_written_to_no_more(status, words):
    assert f"{status} {words}" == say_why(status)


@pytest.mark.parametrize(
    ("status", "is_gone"),
    [("5.0.0", True), ("5.3.0", True), ("5.5.0", True), ("5.5.4", True), ("5.2.2", False)],
)
def test_words_count_only_where_the_status_says_nothing(status, is_gone):
    assert is_gone == judge("failed", status, "550 User unknown").suppresses


def test_a_server_that_says_nothing_says_nothing_of_a_policy():
    assert GONE == judge("failed", "5.1.1")
    assert {"delivered", "relayed", "expanded"} == SUCCESSES
    assert Judgement(HARD, fails=True) == judge("failed", "5.0.0")
