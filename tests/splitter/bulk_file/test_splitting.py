"""From one bulk file to verified bills in the store, and the print batch."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import resource
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from domain.failures import Refused
from domain.money import Money
from splitter.bulk_file.splitting import Splitting, file_bills, plan, split
from splitter.printing.batch_file import write_print_batch
from splitter.printing.envelopes import PaperBill
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import a_bulk_file, a_page, changed, page_objects, text, write_pdf

BULK = a_bulk_file(separator="BATCH SEPARATOR")


@pytest.fixture(scope="module")
def bulk_pdf(tmp_path_factory):
    return write_pdf(
        tmp_path_factory.mktemp("bulk") / "bills.pdf",
        [
            ["Nobody's page"],
            a_page("01.1037.1", number="1 of 2"),
            ["Usage history", "Page 2 of 2"],
            ["BATCH SEPARATOR"],
            a_page("02.2048.2"),
            a_page("01.1037.1", number="1 of 1"),
        ],
    )


@pytest.fixture(scope="module")
def outcome(bulk_pdf, store):
    return split(bulk_pdf, BULK, store, prefix="2026-10/utility-bill", processes=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return BillStore(tmp_path_factory.mktemp("store"))


def test_every_page_of_the_bulk_file_is_accounted_for(bulk_pdf, outcome):
    """Rule 11."""
    assignment = plan(bulk_pdf, BULK, processes=1)

    assert assignment.separators == (3,)
    assert [page.page for page in assignment.unassigned] == [0]
    assert sum(bill.pages for bill in outcome.bills) == 4
    assert outcome.problems == ()


def test_each_bill_is_filed_under_its_account(outcome, store):
    """Rules 11, 13."""
    assert [(b.account, b.ordinal, b.first_page, b.pages, b.path) for b in outcome.bills] == [
        ("01.1037.1", 1, 1, 2, "2026-10/utility-bill/01.1037.1.pdf"),
        ("02.2048.2", 1, 4, 1, "2026-10/utility-bill/02.2048.2.pdf"),
        ("01.1037.1", 2, 5, 1, "2026-10/utility-bill/01.1037.1~2.pdf"),
    ]
    assert all(store.exists(bill.path) for bill in outcome.bills)


def test_what_is_said_of_a_bill_is_true_of_its_file(outcome, store):
    for bill in outcome.bills:
        filed = store.read(bill.path)
        assert hashlib.sha256(filed).hexdigest() == bill.sha256
        assert (len(filed), page_objects(filed)) == (bill.bytes, bill.pages)
        assert bill.account in text(filed)
        assert (bill.form, bill.amount_due) == ("utility-bill", Money(12_50))


def test_split_again_the_bills_are_the_same(bulk_pdf, outcome, tmp_path):
    again = split(bulk_pdf, BULK, BillStore(tmp_path), prefix="2026-10/utility-bill", processes=2)

    assert outcome == again


def test_a_plan_writes_nothing_and_filing_follows_it(bulk_pdf, outcome, tmp_path):
    assignment = plan(bulk_pdf, BULK)
    assert list(tmp_path.iterdir()) == []
    counted = []

    filed = file_bills(
        bulk_pdf, BULK, assignment, BillStore(tmp_path), prefix="", progress=counted.append
    )

    assert [bill.sha256 for bill in outcome.bills] == [bill.sha256 for bill in filed.bills]
    assert sum(counted) == 4
    assert "02.2048.2.pdf" in {path.name for path in tmp_path.iterdir()}


def test_a_page_that_prints_a_neighbours_number_is_in_no_bill(tmp_path):
    path = write_pdf(
        tmp_path / "bills.pdf",
        [a_page("01.1037.1"), ["Usage of 02.2048.2"], a_page("02.2048.2")],
    )

    outcome = split(path, BULK, BillStore(tmp_path / "store"), prefix="period", processes=1)

    assert [(bill.account, bill.pages) for bill in outcome.bills] == [
        ("01.1037.1", 1),
        ("02.2048.2", 1),
    ]
    (held,) = plan(path, BULK, processes=1).unassigned
    assert (1, "0110371", "0220482") == (held.page, held.before, held.seems)


def test_a_damaged_file_is_refused_before_anything_is_written(bulk_pdf, tmp_path):
    path = tmp_path / "bills.pdf"
    path.write_bytes(bulk_pdf.read_bytes()[:-100])

    with pytest.raises(Refused):
        split(path, BULK, BillStore(tmp_path / "store"), prefix="period")

    assert not (tmp_path / "store").exists()


def test_a_locked_file_of_its_owner_is_split_without_its_lock(bulk_pdf, tmp_path):
    path = tmp_path / "bills.pdf"
    path.write_bytes(bulk_pdf.read_bytes())
    lock = pikepdf.Encryption(owner="owner", user="")
    changed(path, lambda pdf: None, deterministic_id=False, encryption=lock)

    outcome = split(path, BULK, BillStore(tmp_path / "store"), prefix="period", processes=1)

    assert len(outcome.bills) == 3
    assert outcome.problems == ()


def write_batch(bulk_pdf, outcome, store, zips):
    papers = [PaperBill(bill, zip) for bill, zip in zip(outcome.bills, zips, strict=True)]
    return write_print_batch(bulk_pdf, papers, store, path="2026-10/print.pdf")


def test_the_print_batch_is_in_the_order_of_the_post(bulk_pdf, outcome, store):
    batch = write_batch(bulk_pdf, outcome, store, ["84670", "84248-1234", "84248"])

    pdf = store.read(batch.path)
    assert (batch.bills, batch.pages, page_objects(pdf)) == (3, 4, 4)
    assert [text(pdf, page).split("\r\n")[0].removeprefix("Account: ") for page in range(3)] == [
        "01.1037.1",
        "02.2048.2",
        "01.1037.1",
    ]


def test_the_manifest_tells_where_each_bill_is(bulk_pdf, outcome, store):
    batch = write_batch(bulk_pdf, outcome, store, ["84670", "84248-1234", "=1+1"])

    rows = list(csv.DictReader(io.StringIO(store.read(batch.manifest_path).decode())))
    assert [(r["sequence"], r["account"], r["zip"], r["first_page"], r["pages"]) for r in rows] == [
        ("1", "02.2048.2", "84248-1234", "1", "1"),
        ("2", "01.1037.1", "84670", "2", "2"),
        ("3", "01.1037.1", "'=1+1", "4", "1"),
    ]
    assert outcome.bills[1].sha256 == rows[0]["sha256"]


def test_the_same_paper_bills_give_the_same_bytes(bulk_pdf, outcome, store, tmp_path):
    other = BillStore(tmp_path)
    first = write_batch(bulk_pdf, outcome, store, ["1", "2", "3"])
    second = write_batch(bulk_pdf, outcome, other, ["1", "2", "3"])

    assert store.read(first.path) == other.read(second.path)
    assert store.read(first.manifest_path) == other.read(second.manifest_path)


def test_bills_go_to_a_store_that_only_this_process_can_write_to(bulk_pdf, outcome, tmp_path):
    memory = BillStore(f"memory://{tmp_path}/bills")

    filed = split(bulk_pdf, BULK, memory, prefix="2026-10/utility-bill", processes=2)

    assert outcome == filed
    assert all(memory.exists(bill.path) for bill in filed.bills)


def test_a_full_disk_is_said_and_leaves_no_part_of_a_bill(
    cold_fork_servers, bulk_pdf, tmp_path, monkeypatch
):
    # a child that loads a module for the first time would leave half of its bytecode behind
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the children inherit it
    try:
        with pytest.raises(OSError, match="too large"):
            split(bulk_pdf, BULK, BillStore(tmp_path / "store"), prefix="period", processes=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list((tmp_path / "store" / "period").iterdir()) == []


def test_a_bill_that_takes_its_maker_down_is_a_problem_and_the_others_are_filed(bulk_pdf, tmp_path):
    store = BillStore(tmp_path)
    with Splitting(bulk_pdf, BULK, processes=1) as splitting:
        assignment = splitting.plan()
        harmed = replace(assignment.bills[1], pages=(99,))  # a page that is not there
        bills = (assignment.bills[0], harmed, assignment.bills[2])

        outcome = splitting.file_bills(replace(assignment, bills=bills), store, prefix="period")

    assert [bill.first_page for bill in outcome.bills] == [1, 5]
    assert [problem.account for problem in outcome.problems] == ["02.2048.2"]
    assert "cannot be made or read back" in outcome.problems[0].message
    assert sorted(path.name for path in (tmp_path / "period").iterdir()) == [
        "01.1037.1.pdf",
        "01.1037.1~2.pdf",
    ]


def test_no_process_is_left_when_all_is_done(bulk_pdf, tmp_path):
    with Splitting(bulk_pdf, BULK, processes=2) as splitting:
        splitting.plan()

    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not [command for command in commands if b"splitter.workers.fork_server" in command]
