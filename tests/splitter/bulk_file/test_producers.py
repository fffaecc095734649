"""Every writer of PDFs that can be had here: its bills come out whole, alike and private."""

from __future__ import annotations

import pikepdf
import pytest

from bench.splitter.bulk_files import cache_folder
from bench.splitter.made_up_bills import ACCOUNT, AMOUNT_DUE, DUE_DATE, made_up_bills
from bench.splitter.producers import PRODUCERS
from domain.periods import BulkFile
from splitter.bulk_file.splitting import split
from splitter.copying.audit import audit
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import everything_in, is_surely_clean, opened, pixels, text

BILLS = 12
SLOW = {"chromium": pytest.mark.slow, "weasyprint": pytest.mark.release}  # two print HTML


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=SLOW.get(name, ())) for name in PRODUCERS],
)
def bulk_file(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    (folder / "weasyprint").symlink_to(cache_folder() / "weasyprint")  # where it may be installed
    PRODUCERS["reportlab"](folder / f"reportlab-{BILLS}.pdf", BILLS, folder)
    file = folder / f"{request.param}-{BILLS}.pdf"
    if not PRODUCERS[request.param](file, BILLS, folder):
        pytest.skip(f"{request.param} is not installed")
    return file


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return BillStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def outcome(bulk_file, store):
    bulk = BulkFile("utility-bill", bulk_file.name, ACCOUNT, AMOUNT_DUE, DUE_DATE)
    return split(bulk_file, bulk, store, prefix="", processes=2)


def test_every_bill_is_found_with_its_pages_and_amount(outcome):
    expected = [(b.account, len(b.pages), b.amount_due) for b in made_up_bills(BILLS)]
    found = [(b.account, b.pages, f"${b.amount_due}") for b in outcome.bills]

    assert expected == found
    assert outcome.problems == ()


def test_every_bill_looks_like_its_pages(bulk_file, store, outcome):
    for bill in outcome.bills:
        copy = store.read(bill.path)
        for place, page in enumerate(bill.page_numbers):
            assert pixels(bulk_file, page) == pixels(copy, place)
            assert text(bulk_file, page) == text(copy, place)


def test_every_bill_passes_both_audits(store, outcome):
    for bill in outcome.bills:
        copy = store.read(bill.path)
        assert audit(copy, bill.pages) == []
        assert is_surely_clean(copy, bill.pages)


def test_no_bill_holds_another_account_or_picture(store, outcome):
    accounts = {bill.account for bill in outcome.bills}
    for bill in outcome.bills:
        copy = store.read(bill.path)
        held = everything_in(copy)
        assert not [other for other in accounts - {bill.account} if other.encode() in held]
        with opened(copy) as pdf:
            pictures = [thing for thing in pdf.objects if is_picture(thing)]
        assert len(pictures) <= 2  # the logo and the bill's own code


def is_picture(thing):
    return isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == "/Image"
