"""`collect` and `unknown` as a clerk runs them, from the schedule to the customer's mail."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.books import Database
from database.tables import gateway_payment, payment_method, run_lock
from deployments.served import collect
from tests.flows.desk import Desk, at_server

ABBOTT, FROST, IRWIN = "01.1001.1", "01.1006.6", "01.1009.9"
CLOSING_DAY, PAY_DAY = "2026-11-02T12:00", "2026-11-13T09:00"


def with_tokens(desk: Desk, **tokens: str) -> Desk:
    """The office with other payment methods, by the last digits of accounts."""
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    with books.writing() as connection:
        for number, token in tokens.items():
            key = f"01{number.removeprefix('a')}"
            before = connection.scalar(
                sa.select(gateway_payment.c.method_token).where(
                    gateway_payment.c.account_key == key
                )
            )
            for table, column in (
                (gateway_payment, gateway_payment.c.method_token),
                (payment_method, payment_method.c.token),
            ):
                connection.execute(
                    table.update().where(column == before).values({column.name: token})
                )
            connection.exec_driver_sql(
                "UPDATE mandate SET method_token = ? WHERE method_token = ?", (token, before)
            )
    books.close()
    return desk


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    return closed.copied(tmp_path / "home")


def drawn(desk: Desk, as_of: str, *arguments: str):
    return desk("collect", "--json", "--as-of", as_of, *arguments)


def failure_mails(desk: Desk) -> list:
    return [mail for mail in autopay_mails(desk) if "did not go through" in mail["Subject"]]


def autopay_mails(desk: Desk) -> list:
    files = sorted((desk.home / "mail").glob("autopay-failed-*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def test_what_is_due_is_drawn_posted_and_listed(office):
    shown = drawn(office, PAY_DAY, "--dry-run")

    first = drawn(office, PAY_DAY)
    again = drawn(office, PAY_DAY)

    assert ("dry-run", 3) == (shown.json["status"], shown.json["drawn"]["count"])
    assert first.json["drawn"] == shown.json["drawn"]
    assert (0, "done", {"count": 3, "amount": "167.35"}) == (
        first.status, first.json["status"], first.json["drawn"],
    )  # fmt: skip
    assert (0, 0, 0) == (
        again.status,
        again.json["drawn"]["count"],
        first.json["unposted"]["count"],
    )
    listed = office.rows("completed-payments")
    assert {ABBOTT, FROST, IRWIN} == {row["account"] for row in listed}
    assert all(row["posted_at"] and row["confirmation"].startswith("SB") for row in listed)
    assert [] == office.rows("pending-payments")
    assert {"succeeded"} == {row["state"] for row in office.rows("scheduled-payments")}
    assert 1 == len(office.rows("audit", "action=collect autopay"))


def test_a_dry_run_changes_nothing(office):
    before = office.files()

    drawn(office, PAY_DAY, "--dry-run")

    assert before == office.files()


def test_only_what_is_due_is_drawn(office):
    answer = drawn(office, CLOSING_DAY)

    assert {"count": 1, "amount": "90.00"} == answer.json["drawn"]
    (row,) = office.rows("completed-payments")
    assert IRWIN == row["account"]


def test_a_decline_is_listed_with_its_reason_and_told_to_its_owner(office):
    with_tokens(office, a10011="tok_expired_card")

    answer = drawn(office, PAY_DAY)

    assert (0, {"count": 1, "amount": "27.35"}) == (answer.status, answer.json["declined"])
    (row,) = office.rows("scheduled-payments", f"account={ABBOTT}")
    assert ("declined", "declined: expired_card") == (row["state"], row["status"])
    (mail,) = failure_mails(office)
    text = mail.get_body(("plain",)).get_content()
    assert "ann.abbott@example.com" in mail["To"]
    assert "expired" in text
    assert [] == [word for word in ("expired_card", "tok_") if word in text]
    drawn(office, PAY_DAY)
    assert 1 == len(failure_mails(office))


def test_whom_autopay_leaves_out_is_told_once(office):
    left_out = {row["reason"] for row in office.rows("autopay-unscheduled")}
    drawn(office, PAY_DAY)
    drawn(office, PAY_DAY)

    subjects = [mail["Subject"] for mail in autopay_mails(office)]

    assert {"over-maximum", "method-blocked"} & left_out
    assert subjects and len(subjects) == len(set(subjects))
    assert {"Autopay does not pay your bill"} == {said.partition(",")[0] for said in subjects}


def test_a_payment_without_an_answer_needs_a_person_until_it_is_found(office):
    with_tokens(office, a10011="tok_lost_response")

    first = drawn(office, PAY_DAY)
    shown = office("unknown", "--json", "--as-of", PAY_DAY)
    later = drawn(office, "2026-11-13T09:06")

    assert (4, {"count": 1, "amount": "27.35"}) == (first.status, first.json["unknown"])
    (doubt,) = shown.json["unknown"]
    assert (4, ABBOTT, "unknown", "approved", "none") == (
        shown.status, doubt["account"], doubt["ours"]["state"], doubt["gateway"]["says"],
        doubt["cash_receipting"],
    )  # fmt: skip
    assert (0, 1, 0) == (
        later.status, later.json["looked_up"]["approved"], later.json["unposted"]["count"],
    )  # fmt: skip
    assert 3 == len(office.rows("completed-payments"))


def test_a_person_decides_about_what_never_arrived(office):
    with_tokens(office, a10011="tok_never_arrives")
    drawn(office, PAY_DAY)
    key, later = "autopay/2026-10/0110011/1", "2026-11-15T09:00"

    without = office("unknown", "decide", key, "--never-arrived", "--as-of", later)
    early = office("unknown", "decide", key, "--agreed", "--as-of", PAY_DAY)
    done = office("unknown", "decide", key, "--agreed", "--as-of", later)

    assert ([2, 3, 0], "reason" in without.err) == (
        [without.status, early.status, done.status], True,
    )  # fmt: skip
    (row,) = office.rows("scheduled-payments", f"account={ABBOTT}")
    assert "scheduled" == row["state"]
    (decided,) = office.rows("audit", "action=decide payment")
    assert "never arrived, drawn again on 2026-11-18; two sources agree" in decided["detail"]


def test_a_return_opens_the_balance_tells_the_owner_and_shows_the_rates(office):
    with_tokens(office, a10011="tok_ach_R10_d2")
    drawn(office, PAY_DAY)

    answer = drawn(office, "2026-11-16T09:00")

    assert {"count": 1, "amount": "27.35"} == answer.json["returned"]
    (row,) = office.rows("scheduled-payments", f"account={ABBOTT}")
    assert ("returned", "returned: R10 (unauthorized)") == (
        row["state"],
        row["status"],
    )
    rates = {rate["kind"]: rate for rate in answer.json["events"]["return_rates"]}
    assert rates["unauthorized"]["is_exceeded"]
    (mail,) = failure_mails(office)
    assert "not authorized" in mail.get_body(("plain",)).get_content()
    posted = office.query(
        "SELECT kind, amount, state FROM posting WHERE payment_key LIKE '%0110011'"
    )
    assert [("receipt", 2735, "posted"), ("reversal", 2735, "posted")] == sorted(posted)


def test_a_second_collector_is_told_who_is_at_it(office):
    books = Database(f"sqlite:///{office.home / 'billclose.db'}")
    now = datetime.fromisoformat("2100-01-01T00:00:00+00:00")
    with books.writing() as connection:
        connection.execute(
            run_lock.insert().values(
                period="collect-autopay", holder="ben", owner="elsewhere|1|x|", taken_at=now,
                renewed_at=now,
            )
        )  # fmt: skip
    books.close()

    answer = drawn(office, PAY_DAY)

    assert 3 == answer.status
    assert "Payments are being collected by ben" in answer.sentences[0]


def test_the_deployment_collects_in_its_own_office(office):
    settings = office.settings | {"BILLCLOSE_HOME": str(office.home)}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        with at_server(office.settings["PREFECT_API_URL"]):
            state = collect(return_state=True)

    assert state.is_completed()
