"""A close with a scanned bill: read where the office wants that, and told to the clerk."""

from __future__ import annotations

import pytest

from tests.flows.town import ABBOTT, BAKER, COLE, TOWN, printed_bills, write_town
from tests.splitter.scans import Reader, require_tesseract, scanned

PAGE = 2  # a separator comes first, then Abbott, then Baker
OCR = {"BILLCLOSE_SPLITTER__OCR": "true"}


@pytest.fixture(scope="module")
def scanned_town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scanned")
    bills = folder / "bills.pdf"
    bills.write_bytes(printed_bills())
    scanned(bills, {PAGE})
    return write_town(folder / "larkspur", bills=bills.read_bytes())


@pytest.fixture
def reader(tmp_path, monkeypatch):
    return Reader(tmp_path / "program", monkeypatch)


def findings(desk, check):
    return [row["account"] for row in desk.rows("exceptions", f"code={check}")]


def test_a_close_reads_a_scanned_bill_and_warns_of_it(desk, scanned_town):
    require_tesseract()

    answer = desk.close(scanned_town, "--yes", **OCR)

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    (warned,) = desk.rows("checks", "check=page-read-by-ocr")
    assert ("warned", 1, [BAKER.number]) == (
        warned["status"],
        warned["failed"],
        warned["accounts"],
    )
    assert sum(found.pages > 0 for found in TOWN) == len(desk.rows("bills"))


def test_without_the_setting_a_scanned_bill_stops_the_close(desk, scanned_town):
    answer = desk.close(scanned_town, "--yes")

    assert (3, "page-unassigned") == (answer.status, answer.json["refusal"]["code"]), answer.err
    assert [] == desk.rows("checks", "check=page-read-by-ocr", "status=warned")


def test_a_scan_that_names_nobody_of_the_export_stops_the_close(desk, scanned_town, reader):
    reader.says(["Account: 09.9999.9", "Amount Due: $1,031.00", "Due Date: 11/20/2026"])

    answer = desk.close(scanned_town, "--yes", **OCR)

    assert (3, "page-unassigned") == (answer.status, answer.json["refusal"]["code"]), answer.err
    assert BAKER.number in findings(desk, "bill-missing")
    assert [] == desk.rows("bills")


@pytest.mark.parametrize(
    "misread",
    [
        ABBOTT,
        pytest.param(COLE, marks=pytest.mark.release),  # the one behind is as the one before
    ],
)
def test_a_scan_misread_as_the_bill_beside_it_stops_the_close(desk, scanned_town, reader, misread):
    reader.says([f"Account: {misread.number}", "Amount Due: $1,031.00", "Due Date: 11/20/2026"])

    answer = desk.close(scanned_town, "--yes", **OCR)

    assert 3 == answer.status, answer.err
    assert BAKER.number in findings(desk, "bill-missing")
    assert [] == desk.rows("bills")


def test_a_close_that_cannot_read_scans_says_so_before_it_begins(desk, scanned_town, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    answer = desk.close(scanned_town, "--yes", **OCR)

    (sentence,) = answer.sentences
    assert 2 == answer.status
    assert "tesseract is not installed" in sentence
    assert [] == desk.query("SELECT period FROM bill_run")
