"""The sandbox billing system: what cash receipting enters comes back with its feed."""

from __future__ import annotations

import httpx
from pydantic import SecretStr

from billing_system.feed.rest import RestFeed
from domain.feeds import ChangeField, FeedKind
from domain.money import Money
from tests.billing_system.feed.services import NIGHT, a_billing_system

RECEIPT = {
    "receipt": "CR0000001", "kind": "receipt", "account": "01.1037.1", "amount": "80.05",
    "taken_on": "2026-11-10",
}  # fmt: skip


def test_a_receipt_a_reversal_and_a_fee_come_back_with_the_feed(tmp_path):
    with a_billing_system(tmp_path) as server:
        for number, kind in enumerate(("receipt", "reversal", "fee"), start=1):
            server.take_receipt(RECEIPT | {"receipt": f"CR{number}", "kind": kind})
        httpx.post(f"{server.url}/feed", json={}).raise_for_status()
        feed = RestFeed(server.url, SecretStr(""))
        file = next(feed.new_files(None))
        feed.close()

    assert [
        ("CR1", FeedKind.PAYMENT, Money(-80_05)),
        ("CR2", FeedKind.PAYMENT, Money(80_05)),
        ("CR3", FeedKind.FEE, Money(80_05)),
    ] == [(one.reference, one.kind, one.amount) for one in file.movements]
    assert ({NIGHT}, NIGHT) == ({one.posted_at for one in file.movements}, file.written_at)


def test_what_the_clerk_there_changes_leaves_once_and_an_emptied_field_too(tmp_path):
    with a_billing_system(tmp_path) as server:
        said = {"account_number": "01.1037.1", "email": "", "block_ach": "yes"}
        httpx.post(f"{server.url}/accounts", json=said).raise_for_status()
        for _ in range(2):
            httpx.post(f"{server.url}/feed", json={}).raise_for_status()
        feed = RestFeed(server.url, SecretStr(""))
        first, second = feed.new_files(0)
        feed.close()

    assert {ChangeField.EMAIL: "", ChangeField.BLOCK_ACH: "yes"} == first.changes[0].values
    assert () == second.changes
