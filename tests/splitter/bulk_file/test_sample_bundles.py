"""The sample billing exports, where they are at hand."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from domain.accounts import account_key
from domain.money import Money
from domain.periods import BulkFile
from splitter.bulk_file.splitting import plan, split
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import pixels

FOLDER = Path(os.environ.get("BILLCLOSE_BUNDLES", "no-bundles"))
GOOD = ["larkspur-plain", "larkspur-boxed", "larkspur-html"]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="BILLCLOSE_BUNDLES is not set")


def bulk_file(bundle: Path) -> BulkFile:
    (told,) = tomllib.loads((bundle / "bundle.toml").read_text())["documents"]
    return BulkFile(
        form=told["form"],
        file=told["file"],
        account=told["account"],
        amount_due=told.get("amount_due"),
        due_on=told.get("due_date"),
        separator=told.get("separator"),
        region=tuple(told["region"]) if "region" in told else None,
    )


@pytest.mark.release  # a close of the same bundles is held to the same bills in every run
@pytest.mark.parametrize("name", GOOD)
def test_a_sample_bundle_is_split_as_expected(name, tmp_path):
    bundle, store = FOLDER / name, BillStore(tmp_path)
    told = json.loads((bundle / "expected.json").read_text())["bills"]

    outcome = split(bundle / "bills.pdf", bulk_file(bundle), store, prefix="period")

    expected = {
        account_key(account): (Money.parse(bill["amount_due"]), bill["pages"])
        for account, bill in told.items()
    }
    found = {account_key(bill.account): (bill.amount_due, bill.pages) for bill in outcome.bills}
    assert expected == found
    assert outcome.problems == ()
    assert plan(bundle / "bills.pdf", bulk_file(bundle)).unassigned == ()
    assert all(bill.due_on is not None for bill in outcome.bills)
    for bill in outcome.bills[::25]:
        assert pixels(bundle / "bills.pdf", bill.first_page) == pixels(store.read(bill.path))
