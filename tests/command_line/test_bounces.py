"""`billclose bounces`: what a clerk sees and decides."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.flows.desk import Desk

UNKNOWN = "ab" * 32
ROW = (UNKNOWN, "2026-11-02 14:00:00", "2026-11-02 20:00:00", "none", "", "unknown", "who knows")


@pytest.fixture
def office(prepared, tmp_path) -> Desk:
    """An office with one bounce that waits for a person and one address that rests."""
    desk = prepared.copied(tmp_path / "office")
    with contextlib.closing(sqlite3.connect(desk.home / "billclose.db")) as books, books:
        books.execute(
            "INSERT INTO bounce (id, received_at, processed_at, action, status, kind, diagnostic)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            ROW,
        )
        books.execute(
            "INSERT INTO suppressed_address (mailbox, since, reason)"
            " VALUES ('ann@x.example', '2026-11-02 20:00:00', '5.1.1 no such mailbox')"
        )
    return desk


def test_the_list_shows_who_rests_and_what_waits(office):
    shown = office("bounces", "list")
    told = office("bounces", "list", "--json").json

    assert ("ann@x.example" in shown.out, UNKNOWN[:12] in shown.out) == (True, True)
    assert ["ann@x.example"] == [row["address"] for row in told["suppressed"]]
    assert [UNKNOWN[:12]] == [row["id"] for row in told["unknown"]]
    assert ["bounce-unknown"] == [row["code"] for row in office.rows("exceptions")]


def test_what_is_decided_is_off_the_list_and_in_the_audit(office):
    settled = office("bounces", "settle", UNKNOWN[:12], "--reason", "a newsletter")
    lifted = office("bounces", "lift", "Ann@x.example", "--reason", "she called")
    left = office("bounces", "list")

    assert (0, 0) == (settled.status, lifted.status), settled.err + lifted.err
    assert "No address is suppressed, and no bounce waits for a person." == left.out.strip()
    assert [("settle bounce", "a newsletter"), ("lift suppression", "she called")] == [
        (row["action"], row["detail"]) for row in office.rows("audit")
    ]
    assert [] == office.rows("exceptions")
    assert [False] == [row["waits"] for row in office.rows("bounces")]


def test_several_are_lifted_and_settled_at_once(office):
    lifted = office("bounces", "lift", "--since", "2026-11-01", "--reason", "the relay", "--json")
    settled = office("bounces", "settle", UNKNOWN[:12], UNKNOWN, "--reason", "read them")

    assert (0, 1) == (lifted.status, lifted.json["addresses"]), lifted.err
    assert 2 == settled.status  # the second one is the first one: it waits no more
    assert 0 == office("bounces", "settle", UNKNOWN[:12], "--reason", "read them").status


def test_a_bounce_shows_recipient_sender_subject_first_lines_and_file(office):
    (row,) = office.rows("bounces")

    assert {"recipient", "sender", "subject", "first_lines", "file"} <= row.keys()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("lift", "nobody@x.example", "--reason", "x"), id="an address that is fine"),
        pytest.param(("lift", "--reason", "x"), id="nothing to lift"),
        pytest.param(
            ("lift", "ann@x.example", "--since", "2026-11-01", "--reason", "x"), id="one and all"
        ),
        pytest.param(("lift", "--since", "2027-01-01", "--reason", "x"), id="nobody since then"),
        pytest.param(("lift", "--period", "2019-01", "--reason", "x"), id="no such period"),
        pytest.param(("lift", "ann@x.example"), id="no reason"),
        pytest.param(("lift", "ann@x.example", "--reason", " "), id="an empty reason"),
        pytest.param(("settle", "ffffffffffff", "--reason", "x"), id="no such bounce"),
        pytest.param(("settle", "ab", "--reason", "x"), id="an id cut too short"),
        pytest.param(
            ("settle", UNKNOWN[:12], "--reason", "x", "--failed"), id="failed, of nobody knows what"
        ),
    ],
)
def test_wrong_use_is_one_sentence_and_changes_nothing(office, words):
    before = office.books()

    answer = office("bounces", *words)

    assert (2, 1, before) == (answer.status, len(answer.sentences), office.books()), answer.err
