"""A close with a page that names no account and seems to be another customer's."""

from __future__ import annotations

import io

import pikepdf
import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from tests.flows.desk import Desk
from tests.flows.town import ABBOTT, BAKER, COLE, KANE, TOWN, print_page, printed_bills, write_town

FILE, PAGE = "bills.pdf", 3  # a separator comes first, then Abbott, then Baker


@pytest.fixture(scope="module")
def town_with_a_nameless_page(tmp_path_factory):
    """Baker's page has another label, so that no pattern finds its account."""
    bills = io.BytesIO()
    with pikepdf.open(io.BytesIO(printed_bills())) as pdf:
        page = pdf.pages[PAGE - 1]
        content = page.Contents.read_bytes()
        assert f"Account: {BAKER.number}".encode() in content
        page.Contents = pdf.make_stream(content.replace(b"Account:", b"ACCOUNT:"))
        pdf.save(bills, static_id=True)
    folder = tmp_path_factory.mktemp("nameless")
    return write_town(folder / "larkspur", bills=bills.getvalue())


@pytest.fixture(scope="module")
def stopped(prepared, server, town_with_a_nameless_page, tmp_path_factory):
    """An office whose close the page has stopped, and what it was told: to read and to copy."""
    home = prepared.copied(tmp_path_factory.mktemp("stopped") / "office").home
    desk = Desk(home, server.environment)
    return desk, desk.close(town_with_a_nameless_page, "--yes")


def test_the_page_is_held_and_the_missing_bill_names_it(stopped):
    desk, answer = stopped

    assert (3, "page-unassigned") == (answer.status, answer.json["refusal"]["code"]), answer.err
    (held,) = desk.rows("checks", "check=page-unassigned")
    assert {ABBOTT.number, BAKER.number} == set(held["accounts"])
    (lost,) = [
        row
        for row in desk.rows("exceptions", "code=bill-missing")
        if row["account"] == BAKER.number
    ]
    assert f"page {PAGE} of {FILE}" in lost["message"]


def test_waived_neither_customer_gets_a_mail(desk, town_with_a_nameless_page):
    waivers = [
        word
        for check in ("page-unassigned", "bill-missing", "control-totals")
        for word in ("--waive", check)
    ]

    answer = desk.close(town_with_a_nameless_page, "--yes", *waivers, "--reason", "Looked at it.")

    assert answer.json["status"] == "closed", answer.err
    mailed = {row["account"] for row in desk.rows("deliveries", "status=sent")}
    assert mailed and not mailed & {ABBOTT.number, BAKER.number}


def test_a_page_that_a_person_gives_is_the_customers_bill(
    stopped, town_with_a_nameless_page, tmp_path
):
    desk = stopped[0].copied(tmp_path / "office")
    period = "2026-10"

    listed = desk("pages", period, "--unassigned", "--json").json
    shown = desk("pages", "show", period, FILE, PAGE, "--json").json
    refused = desk("pages", "give", period, FILE, 2, "--to", BAKER.number, "--reason", "No.")
    given = desk("pages", "give", period, FILE, PAGE, "--to", BAKER.number, "--reason", "Looked.")
    answer = desk.close(town_with_a_nameless_page, "--yes")

    assert [(FILE, PAGE, ABBOTT.number, BAKER.number)] == [
        (row["file"], row["page"], row["account"], row["seems"]) for row in listed
    ]
    assert f"ACCOUNT: {BAKER.number}" in shown["text"]
    assert refused.status == 3, refused.err
    assert given.status == 0, given.err
    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert BAKER.number in {row["account"] for row in desk.rows("bills")}
    assert "Looked." in desk.rows("audit", "action=rule-page")[0]["detail"]


def test_what_was_said_is_taken_back(stopped, town_with_a_nameless_page, tmp_path):
    desk = stopped[0].copied(tmp_path / "office")
    desk("pages", "drop", "2026-10", FILE, PAGE, "--reason", "A test print.")

    desk("pages", "forget", "2026-10", FILE, PAGE, "--reason", "It was none.")
    answer = desk.close(town_with_a_nameless_page, "--yes")

    assert (3, "page-unassigned") == (answer.status, answer.json["refusal"]["code"]), answer.err


def test_a_first_file_is_closed_in_a_way_that_only_reports(desk, town_with_a_nameless_page):
    report = {"BILLCLOSE_SPLITTER__DOUBTED_PAGES": "report"}

    answer = desk.close(town_with_a_nameless_page, "--dry-run", **report)

    doubted = [row for row in answer.json["checks"] if row["check"] == "page-doubted"]
    assert [("failed", 1)] == [(row["status"], row["failed"]) for row in doubted]
    assert 0 == answer.json["pages"]["unassigned"]


@pytest.fixture(scope="module")
def town_with_a_lost_first_page(tmp_path_factory):
    """Bills without page numbers; of Baker's only the page of use was printed, behind Abbott's."""
    printed = io.BytesIO()
    canvas = Canvas(printed, pagesize=letter, invariant=1)
    for found in TOWN:
        if found.pages and found is not BAKER:
            lines = [f"Account: {found.number}", found.name, "Due Date: 11/20/2026"]
            print_page(canvas, [*lines, f"Amount Due: {found.amount_due.dollars()}"])
        if found in (BAKER, COLE, KANE):
            print_page(canvas, ["Your use", f"October {found.charges[:2]} gallons"])
    canvas.save()
    folder = tmp_path_factory.mktemp("lost")
    return write_town(folder / "larkspur", bills=printed.getvalue())


@pytest.mark.release  # which page it is, tests/splitter/runs/test_missing_bills.py shows each time
def test_a_page_behind_which_a_bill_was_lost_leaves_with_nobody(desk, town_with_a_lost_first_page):
    refused = desk.close(town_with_a_lost_first_page, "--yes")
    (held,) = desk("pages", "2026-10", "--unassigned", "--json").json
    told = {row["account"]: row["message"] for row in desk.rows("exceptions", "code=bill-missing")}
    waivers = [
        word
        for check in ("page-unassigned", "bill-missing", "control-totals")
        for word in ("--waive", check)
    ]
    closed = desk.close(town_with_a_lost_first_page, "--yes", *waivers, "--reason", "Looked.")

    assert (3, "page-unassigned") == (refused.status, refused.json["refusal"]["code"]), refused.err
    assert (ABBOTT.number, 2) == (held["account"], held["page"])
    assert f"the bill of {BAKER.number} is missing" in held["reason"]
    assert told == {
        BAKER.number: "$1,031.00 billed, and no bill found;"
        " in the order of bills.pdf it would stand by pages 1 and 3",
        ABBOTT.number: "its bill may have got a page of the one of 01.1002.2, which is missing",
    }
    assert "closed" == closed.json["status"], closed.err
    mailed = {row["account"] for row in desk.rows("deliveries", "status=sent")}
    assert mailed and not mailed & {ABBOTT.number, BAKER.number}
