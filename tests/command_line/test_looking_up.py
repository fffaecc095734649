"""`find`, `show` and `why`, of a closed town whose right answers are known by heart."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ("01.1001.1", "on which no bank works (rules 72, 48, 49; ruling 13)"),
        ("01.1001.1", "its time is Nov 17, 2026 at 06:00 (rules 90, 93, 91)"),
        ("01.1002.2", "goes on paper, because the account asks for paper"),
        ("01.1003.3", "dana@example.net gets the bill, because it is a portal user linked"),
        ("01.1004.4", "it is paperless, and there is no valid address to mail to"),
        ("01.1005.5", "landlord@example.net gets the bill, because it is the landlord's portal"),
        ("01.1007.7", "nothing is owed (the balance is -$31.47) (rules 90, 93; ruling 15)"),
        ("01.1007.7", "because nothing was owed (rules 57, 81)"),
        ("01.1009.9", "its day had come when it was scheduled, so that it is drawn at once"),
        ("01.1011.1", "more was owed than the customer's maximum"),
        ("01.1011.1", "($200.00 against $100.00) (rule 50; ruling 3)"),
    ],
)
def test_why_says_the_reason_with_its_rules(closed, account, sentence):
    answer = closed("why", account, "--as-of", "2026-11-02T10:00", "--json")

    assert 0 == answer.status, answer.err
    assert [one for one in answer.json["sentences"] if sentence in one["text"]]


def test_why_reads_as_sentences_on_the_screen(closed):
    answer = closed("why", "01-1007-7", "--as-of", "2026-11-02T10:00")

    first, *lines = answer.out.splitlines()
    assert "01.1007.7 Gray, Gil, period 2026-10" == first
    assert {"Bill", "Delivery", "Autopay", "Reminder", "Balance", "Exception"} <= set(lines)
    assert 100 >= max(map(len, lines))


@pytest.mark.parametrize("command", ["show", "why"])
def test_a_mistyped_account_is_told_the_nearest(closed, command):
    answer = closed(command, "01.1007.8")

    assert (2, "", 1) == (answer.status, answer.out, len(answer.err.splitlines()))
    assert "did you mean 01.1007.7?" in answer.err


def test_why_of_a_period_that_is_not_there(closed):
    answer = closed("why", "01.1007.7", "--period", "2026-12")

    assert 2 == answer.status
    assert "No export of period 2026-12 has been imported; did you mean 2026-10?" in answer.err


def test_show_has_everything_that_stands_about_an_account(closed):
    shown = closed("show", "01.1003.3", "--json").json

    assert ("Cole, Cam", "44.10") == (shown["name"], shown["balance"])
    assert ["2026-10"] == [row["period"] for row in shown["bills"]]
    assert {"cam.cole@example.com", "dana@example.net"} == {
        row["portal_user"].casefold() for row in shown["portal-links"]
    }
    assert {"bill"} == {row["kind"] for row in shown["deliveries"]}
    for part in ("movements", "enrollments", "scheduled-payments", "paper", "holds", "audit"):
        assert part in shown


def test_show_on_the_screen_names_what_there_is_none_of(closed):
    answer = closed("show", "01.1003.3")

    assert (0, "") == (answer.status, answer.err)
    assert "PORTAL LINKS" in answer.out
    assert "None: " in answer.out.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "01.1003.3"),
        ("show", "01.1009.9", "--all"),
        ("undo", "2026-10", "--dry-run", "--as-of", "2026-11-03T09:00"),
        ("mail", "status"),
    ],
)
def test_people_read_the_utilitys_own_clocks_wherever_they_look(closed, words):
    answer = closed(*words)

    assert (0, "") == (answer.status, answer.err)
    assert not [line for line in answer.out.splitlines() if "UTC" in line or "+00:00" in line]


def test_an_undo_says_by_whom_the_period_was_closed_and_until_when_it_can_be_taken_back(closed):
    first = closed("undo", "2026-10", "--dry-run", "--as-of", "2026-11-03T09:00").out.split("\n")[0]

    assert re.fullmatch(
        r"The close of 2026-10 of 2026-11-02 09:0\d by \S+ can be taken back until 2026-11-06\.",
        first,
    )


def test_a_program_gets_the_moments_of_an_account_with_their_offset(closed):
    shown = closed("show", "01.1003.3", "--json").json

    assert {"+00:00"} == {row["sent_at"][-6:] for row in shown["deliveries"]}


def test_status_says_where_the_month_stands_and_what_comes_next(closed):
    """Rule 8."""
    shown = closed("status", "--as-of", "2026-11-03T09:00", "--json").json

    (month,) = shown["periods"]
    assert ("2026-10", True) == (month["period"], month["closed"])
    assert ["scheduled-payments", "print-batches", "exceptions"] == [
        one["list"] for one in shown["waits"]
    ]
    said = {event["date"]: event["sentence"] for event in shown["next"]}
    assert "1 autopay payment to be drawn, $27.35" == said["2026-11-13"]
    assert "the bills of 2026-10 are due" == said["2026-11-20"]
    assert "the first day to close the period that ends on Nov 30, 2026" == said["2026-12-01"]


def test_status_says_which_payments_nobody_collected(closed):
    """Ruling 20."""
    shown = closed("status", "--as-of", "2026-11-16T09:00", "--json").json

    late = shown["waits"][0]
    assert ("scheduled-payments", 3) == (late["list"], late["count"])
    assert late["sentence"].startswith("3 autopay payments due since Nov 2, 2026 and not drawn, $")


def test_status_reads_on_the_screen_and_names_the_lists(closed):
    lines = closed("status", "--as-of", "2026-11-03T09:00").out.splitlines()

    assert lines[0].startswith("October closed on Nov 2 by ")
    assert "Waits for a person" in lines
    assert [one for one in lines if one.endswith("(`billclose list exceptions`)")]


def test_find_prints_rows_as_lists_do(closed):
    answer = closed("find", "cole", "--json")

    (row,) = answer.json
    assert ("01.1003.3", "Cole, Cam", "44.10") == tuple(
        row[name] for name in ("account", "name", "balance")
    )
    assert "name" in row["found_by"]


def test_nothing_found_is_said(closed):
    answer = closed("find", "nobody of that name")

    assert (0, "", "Nothing has 'nobody of that name' in it.\n") == (
        answer.status,
        answer.out,
        answer.err,
    )
