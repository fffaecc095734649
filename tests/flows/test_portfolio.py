"""A close whose bulk file is a portfolio: a file for each bill, named by the account."""

from __future__ import annotations

import pytest

from tests.flows.town import TOWN, manifest, printed_bills, write_town
from tests.splitter.attachment_builders import write_portfolio

BY = 'by = "attachments"\ntitle = "bill-([0-9.]+)[.]pdf"'
DUE = "11/20/2026"


def write_it(folder):
    folder.mkdir()
    files = [
        (f"bill-{found.number}.pdf", printed_bills([found], DUE)) for found in TOWN if found.pages
    ]
    bills = write_portfolio(folder / "bills.pdf", files)
    bundle = manifest(TOWN, "2026-10", "2026-10-31", "2026-11-20")
    bundle = bundle.replace('form = "utility-bill"', f'form = "utility-bill"\n{BY}')
    return write_town(folder / "larkspur", bundle=bundle, bills=bills.read_bytes())


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory):
    return write_it(tmp_path_factory.mktemp("portfolio") / "right")


def test_a_portfolio_closes_and_its_paper_is_printed(desk, portfolio):
    answer = desk.close(portfolio, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert {found.number for found in TOWN if found.pages} == {
        row["account"] for row in desk.rows("bills")
    }
    assert answer.json["paper"]["bills"] > 0
    assert {"sent"} <= {row["status"] for row in desk.rows("deliveries")}
