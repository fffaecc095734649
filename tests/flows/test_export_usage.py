"""`export-usage` and `calendar` as a clerk runs them."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

import pytest

from tests.flows.desk import Desk

NOON = "2026-11-02T12:00"
LINK = {"BILLCLOSE_EXPORTS__LINK_URL": "https://desk.example/exports/{token}"}


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    """A closed October, in which one account has a usage record."""
    desk = closed.copied(tmp_path / "office")
    return Desk(desk.home, desk.settings | LINK)


@pytest.fixture
def metered(office) -> tuple[str, str]:
    """An account with usage and a mailbox of it."""
    found = office.query(
        "SELECT m.account, e.address FROM movement m "
        "JOIN account_email e USING (period, account_key) "
        "WHERE m.usage IS NOT NULL AND e.fault IS NULL ORDER BY 1 LIMIT 1"
    )
    return found[0]


def export(desk: Desk, *arguments: str, **settings: str):
    return desk("export-usage", "--json", "--as-of", NOON, *arguments, **settings)


def test_a_link_is_mailed_to_a_mailbox_of_the_account(office, metered):
    account, address = metered

    done = export(office, account, "--to", address)

    assert (0, account, 1) == (done.status, done.json["account"], done.json["sent"]), done.err
    (mail,) = (office.home / "mail").rglob("usage-export*.eml")
    message = message_from_bytes(mail.read_bytes(), policy=default)
    assert (address, f"Usage records of account {account}") == (message["To"], message["Subject"])
    text = message.get_body(("plain",)).get_content()
    assert re.search(r"https://desk\.example/exports/[\w-]{43}\s", text)
    assert "November 5, 2026 at 12:00 PM MST" in text
    (act,) = office.rows("audit", "action=export usage")
    assert account == act["subject"]
    assert address not in str(act)


def test_another_mailbox_is_refused(office, metered):
    answer = export(office, metered[0], "--to", "stranger@example.com")

    assert (3, "not-linked") == (answer.status, answer.json["refusal"]["code"]), answer.err
    assert not (office.home / "usage-exports").exists()


def test_without_a_link_it_is_refused_with_what_to_set(office, metered):
    account, address = metered

    answer = export(office, account, "--to", address, BILLCLOSE_EXPORTS__LINK_URL="")

    assert (2, "no-export-link") == (answer.status, answer.json["refusal"]["code"])


def test_expired_files_are_cleared_away(office, metered):
    account, address = metered
    export(office, account, "--to", address)

    early = export(office, "--clean")
    late = office("export-usage", "--clean", "--json", "--as-of", "2026-11-05T12:01")

    assert [(0, 0), (0, 1)] == [(one.status, one.json["removed"]) for one in (early, late)]
    assert [] == list((office.home / "usage-exports").iterdir())


@pytest.mark.parametrize(
    "arguments", [(), ("1",), ("--to", "x@example.com"), ("1", "--to", "x@example.com", "--clean")]
)
def test_what_is_asked_for_must_be_whole(office, arguments):
    assert 2 == export(office, *arguments).status


# -- the calendar ---------------------------------------------------------------------------------


def test_a_year_is_shown_by_the_due_day_and_the_draw_days_of_the_books(office, tmp_path):
    page, file = tmp_path / "2027.html", tmp_path / "2027.ics"
    before = office.files()

    answer = office("calendar", 2027, "--json", "--html", page, "--ics", file)
    shown = office("calendar", 2027)

    assert (0, 20, 12) == (answer.status, answer.json["due_day"], len(answer.json["months"]))
    in_use = office.query("SELECT DISTINCT days_prior FROM mandate WHERE active ORDER BY 1 DESC")
    assert [days for (days,) in in_use] == answer.json["days_prior"] != []
    assert "Close 2026-12" in shown.out
    assert b"<!DOCTYPE html>" in page.read_bytes()
    assert file.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert {0o600} == {written.stat().st_mode & 0o777 for written in (page, file)}
    assert before == office.files()


def test_before_the_first_period_the_due_day_has_to_be_given(prepared):
    without = prepared("calendar", 2027, "--json")
    given = prepared("calendar", 2027, "--json", "--due-day", 15, "--days-prior", 5)
    wrong = prepared("calendar", 1027)

    assert (2, "no-due-day") == (without.status, without.json["refusal"]["code"])
    assert (0, 15, [5]) == (given.status, given.json["due_day"], given.json["days_prior"])
    assert 2 == wrong.status
