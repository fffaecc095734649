"""`retry-postings` as a clerk runs it: the ledger, a service that is down, refused postings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from cash_receipting.sandbox_service import SandboxServer, ServiceFaults
from database.books import Database
from database.tables import gateway_payment
from domain.payments import PaymentState
from reporting.report.verdict import give_verdict
from reporting.run_sheet.reading import read_run_sheet
from tests.builders import post_payment
from tests.cash_receipting.builders import a_service
from tests.flows.desk import Desk
from tests.flows.town import write_town

TAKEN = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
DECEMBER = "2026-12-01T09:00"
NOON, LATER = "2026-11-02T12:00", "2026-11-02T12:05"


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    """A closed period whose payments were all taken, and none posted."""
    desk = closed.copied(tmp_path / "home")
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    with books.writing() as connection:
        payments = connection.execute(sa.select(gateway_payment)).all()
        for number, payment in enumerate(payments, start=1):
            connection.execute(
                gateway_payment.update()
                .where(gateway_payment.c.key == payment.key)
                .values(
                    state=PaymentState.SUCCEEDED, confirmation=f"SB{number:08d}", taken_at=TAKEN
                )
            )
            post_payment(connection, payment, now=TAKEN)
    books.close()
    return desk


@pytest.fixture
def service(tmp_path) -> Iterator[SandboxServer]:
    with a_service(tmp_path, token="secret") as server:
        yield server


def by_rest(desk: Desk, url: str) -> Desk:
    own = {
        "BILLCLOSE_CASH_RECEIPTING__SYSTEM": "rest",
        "BILLCLOSE_CASH_RECEIPTING__URL": url,
        "BILLCLOSE_CASH_RECEIPTING__TOKEN": "secret",
        "BILLCLOSE_ALERTS__TO": "admin@larkspur.example",
    }
    return Desk(desk.home, desk.settings | own)


def retry(desk: Desk, *arguments: str, as_of: str = NOON):
    return desk("retry-postings", "--json", "--as-of", as_of, *arguments)


def alerts(desk: Desk) -> list:
    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in sorted((desk.home / "mail").rglob("*.eml"))
    ]
    return [mail for mail in mails if mail["To"] == "admin@larkspur.example"]


def test_what_was_taken_is_posted_and_the_pending_list_is_blank(office):
    """Rules 84, 87."""
    assert 3 == len(office.rows("pending-payments"))

    answer = retry(office)

    assert (0, 3, 0) == (answer.status, answer.json["posted"], answer.json["unposted"])
    assert [] == office.rows("pending-payments")
    receipts = {row["receipt"] for row in office.rows("completed-payments")}
    assert {"R000001", "R000002", "R000003"} == receipts
    assert 0o600 == (office.home / "cash-receipting.db").stat().st_mode & 0o777


def test_an_outage_is_told_once_and_ends_with_everything_posted(office, service):
    """Rules 186-188."""
    desk = by_rest(office, service.url)
    service.plan.replace(ServiceFaults(down=True))

    first = retry(desk)
    assert (4, 0, 3) == (first.status, first.json["posted"], first.json["unposted"])
    assert "503" in first.json["stopped_by"]
    told = [retry(desk, "--now", as_of=at).json["alerts"] for at in (LATER, "2026-11-02T12:30")]
    assert [1, 0] == told
    service.plan.replace(ServiceFaults())
    after = retry(desk, "--now", as_of="2026-11-02T13:00")

    assert (0, 3, 1) == (after.status, after.json["posted"], after.json["alerts"])
    down, back = alerts(desk)
    assert "cash receipting does not answer" in down["Subject"]
    text = down.get_body(("plain",)).get_content()
    assert "3 payments" in text
    assert "Ask IT to restart the cash-receipting service" in " ".join(text.split())
    assert "cash receipting answers again" in back["Subject"]


def test_a_refused_posting_waits_until_a_person_says_again_or_by_hand(office, service):
    desk = by_rest(office, service.url)
    refused = [row["account"] for row in desk.rows("pending-payments")][:2]
    service.plan.replace(ServiceFaults(rejects=tuple(refused)))
    first = retry(desk)
    assert (4, 1, 2) == (first.status, first.json["posted"], first.json["rejected"])
    one, other = desk.rows("pending-payments")
    assert (None, "rejected") == (one["next_retry"], one["state"])
    assert "is not known" in one["error"]

    service.plan.replace(ServiceFaults())
    again = retry(desk, "--again", one["confirmation"], "--reason", "the account is open now")
    by_hand = retry(
        desk, "--by-hand", other["key"], "--receipt", "X-9", "--reason", "entered at the counter"
    )

    assert (4, 1) == (again.status, again.json["posted"])
    assert (0, 0) == (by_hand.status, by_hand.json["unposted"])
    assert "X-9" in {row["receipt"] for row in desk.rows("completed-payments")}
    actions = [row["action"] for row in desk.rows("audit")]
    assert {"post again", "posted by hand"} <= set(actions)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--again", "SB00000001"),
        ("--by-hand", "SB00000001", "--reason", "why"),
        ("--receipt", "X-9"),
        ("--again", "nothing", "--reason", "why"),
    ],
)
def test_a_decision_needs_its_posting_its_number_and_its_reason(office, arguments):
    answer = retry(office, *arguments)

    assert 2 == answer.status
    assert 3 == len(office.rows("pending-payments"))


def test_a_posting_that_is_tried_by_itself_is_not_tried_again_by_a_person(office):
    answer = retry(office, "--again", "SB00000001", "--reason", "impatience")

    assert (3, "not-rejected") == (answer.status, answer.json["refusal"]["code"])


def test_no_period_is_closed_while_payments_wait_unless_a_person_says_why(office, tmp_path):
    november = write_town(tmp_path / "november", period="2026-11")
    refused = office.close(november, "--yes", as_of=DECEMBER)
    assert (3, "postings-stuck") == (refused.status, refused.json["refusal"]["code"])

    reason = "cash receipting is rebuilt until Friday"
    waived = office.close("2026-11", "--yes", "--despite-stuck-postings", reason, as_of=DECEMBER)

    assert "postings-stuck" not in str(waived.json.get("refusal"))
    said = [row["detail"] for row in office.rows("audit") if "stuck" in row["action"]]
    assert 1 == len(said)
    assert reason in said[0]


def test_the_report_of_a_close_is_red_while_payments_wait(office):
    sheet = read_run_sheet(Database(f"sqlite:///{office.home / 'billclose.db'}"), "2026-10")

    verdict = give_verdict(sheet, 0)

    assert ("bad", 3) == (verdict.tone, sheet.unposted.count)
    assert "3 payments" in verdict.aftermath
