"""The invented city: complete, tied out, always the same."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import defaultdict
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pypdf import PdfReader

from command_line.demo.export import write_demo_city
from command_line.demo.households import account_number
from domain.accounts import account_key
from domain.dates import parse_date
from domain.money import ZERO, Money

ACCOUNTS = 45

Row = dict[str, str]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_city(tmp_path_factory.mktemp("city"), accounts=ACCOUNTS)


@pytest.fixture(scope="module")
def bundle(city: Path) -> dict[str, Any]:
    return tomllib.loads((city / "bundle.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(city: Path) -> list[str]:
    document = pypdfium2.PdfDocument(city / "bills.pdf")
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


@pytest.fixture(scope="module")
def bills(bundle: dict[str, Any], pages: list[str]) -> dict[str, str]:
    """The text of each account's bill, told apart as the contract says."""
    described, texts, account = bundle["documents"][0], defaultdict(str), ""
    for text in pages:
        if described["separator"] not in text:
            named = re.search(described["account"], text)
            account = named[1] if named else account
            texts[account] += text
    return dict(texts)


def read(city: Path, table: str) -> list[Row]:
    with (city / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def amount_due(account: Row) -> Money:
    agreed = account["equal_pay_amount"] if account["status"] == "active" else ""
    return Money.parse(agreed or account["closing_balance"])


def test_each_account_rolls_forward_from_opening_to_closing_balance(city):
    moved = defaultdict(lambda: ZERO)
    for line in read(city, "transactions"):
        moved[line["account_number"]] += Money.parse(line["amount"])

    for account in read(city, "accounts"):
        opening = Money.parse(account["opening_balance"])
        closing = Money.parse(account["closing_balance"])
        assert closing == opening + moved[account["account_number"]]


def test_the_control_totals_are_what_the_tables_add_up_to(city, bundle):
    accounts, lines = read(city, "accounts"), read(city, "transactions")

    def total(kind: str) -> str:
        return str(Money.total(Money.parse(x["amount"]) for x in lines if x["type"] == kind))

    def balance(column: str) -> str:
        return str(Money.total(Money.parse(account[column]) for account in accounts))

    assert bundle["control_totals"] == {
        "accounts": ACCOUNTS,
        "bills": sum(account["status"] != "closed" for account in accounts),
        "opening_balance": balance("opening_balance"),
        "billed": total("billing"),
        "payments": total("payment"),
        "adjustments": total("adjustment"),
        "penalties": total("penalty"),
        "closing_balance": balance("closing_balance"),
    }


def test_payments_are_negative_and_charges_are_not(city):
    for line in read(city, "transactions"):
        amount = Money.parse(line["amount"])
        assert (
            amount < ZERO if line["type"] == "payment" else line["type"] == "adjustment" or amount
        )


def test_every_account_but_a_closed_one_has_exactly_one_bill(city, bills, pages):
    accounts = read(city, "accounts")

    assert {a["account_number"] for a in accounts if a["status"] != "closed"} == set(bills)
    assert len(bills) == sum("Amount Due:" in text for text in pages)


def test_a_closed_account_has_no_transactions(city):
    closed = {a["account_number"] for a in read(city, "accounts") if a["status"] == "closed"}

    assert closed
    assert closed.isdisjoint(line["account_number"] for line in read(city, "transactions"))


def test_a_bill_shows_one_amount_due_and_one_due_date_and_they_are_right(city, bundle, bills):
    described = bundle["documents"][0]

    for account in read(city, "accounts"):
        if account["status"] == "closed":
            continue
        text = bills[account["account_number"]]
        amounts = re.findall(described["amount_due"], text)
        assert [amount_due(account)] == [Money.parse(amount) for amount in amounts]
        due_dates = re.findall(described["due_date"], text)
        assert [bundle["period"]["due_date"]] == [parse_date(day) for day in due_dates]


def test_a_bill_shows_its_lines_and_balances(city, bills):
    for line in read(city, "transactions"):
        if line["type"] == "billing":
            text = bills[line["account_number"]]
            amount = Money.parse(line["amount"]).dollars()
            assert re.search(rf"{line['service'].capitalize()} .*{re.escape(amount)}", text)

    for account in read(city, "accounts"):
        if account["status"] != "closed":
            text = bills[account["account_number"]]
            assert f"Previous balance {Money.parse(account['opening_balance']).dollars()}" in text
            assert f"Account balance {Money.parse(account['closing_balance']).dollars()}" in text


def test_no_page_names_two_accounts(bundle, pages):
    for text in pages:
        assert len(set(re.findall(bundle["documents"][0]["account"], text))) <= 1


def test_second_pages_follow_their_first_and_only_some_name_their_account(tmp_path):
    city = write_demo_city(tmp_path, accounts=120)
    document = pypdfium2.PdfDocument(city / "bills.pdf")
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()

    pairs = [(one, two) for one, two in pairwise(texts) if "Page 2 of 2" in two]
    assert all("Page 1 of 2" in one for one, _ in pairs)
    assert {True, False} == {"Account Number:" in two for _, two in pairs}
    assert sum("BATCH SEPARATOR" in text for text in texts) == 2


def test_other_readers_find_nothing_to_complain_about(city, bills, caplog):
    reader = PdfReader(city / "bills.pdf", strict=True)

    texts = [page.extract_text() for page in reader.pages]
    assert len(bills) == sum("Amount Due:" in text for text in texts)
    assert not caplog.records


def test_the_same_arguments_give_the_same_bytes(city, tmp_path):
    again = write_demo_city(tmp_path, accounts=ACCOUNTS)

    assert contents(city) == contents(again)


def test_another_seed_gives_another_city(city, tmp_path):
    other = write_demo_city(tmp_path, accounts=ACCOUNTS, seed=1)

    assert read(city, "accounts") != read(other, "accounts")


def test_a_bigger_city_begins_with_the_accounts_of_a_smaller_one(city, tmp_path):
    bigger = write_demo_city(tmp_path, accounts=ACCOUNTS + 30)

    for table in ("accounts", "transactions", "portal_users", "autopay"):
        smaller = read(city, table)
        assert smaller == read(bigger, table)[: len(smaller)]


def test_account_numbers_stay_apart_in_a_city_of_200_000():
    numbers = {account_key(account_number(number)) for number in range(200_000)}

    assert len(numbers) == 200_000


def test_tables_refer_only_to_what_the_others_hold(city):
    accounts = {account_key(a["account_number"]) for a in read(city, "accounts")}
    users = [user["email"].casefold() for user in read(city, "portal_users")]
    tokens = {method["token"] for method in read(city, "payment_methods")}
    cosigners = {cosigner["cosigner_id"] for cosigner in read(city, "cosigners")}

    assert len(users) == len(set(users))
    assert {a["cosigner_id"] for a in read(city, "accounts")} <= cosigners | {""}
    assert {mandate["method_token"] for mandate in read(city, "autopay")} <= tokens
    for row in [*read(city, "portal_links"), *read(city, "autopay")]:
        assert account_key(row["account_number"]) in accounts
        assert row["portal_user"].casefold() in {*users, ""}


def test_nobody_can_be_mailed_outside_the_example_domains(city):
    written = "".join(path.read_text(encoding="utf-8") for path in city.glob("*.csv"))

    domains = {domain.casefold() for domain in re.findall(r"@([\w.]+)", written)}
    assert domains == {"example.com", "example.org", "example.net"}


def test_what_clerks_meet_every_month_is_planted(city):
    accounts = read(city, "accounts")
    linked = {account_key(link["account_number"]) for link in read(city, "portal_links")}
    mandates = {mandate["account_number"]: mandate for mandate in read(city, "autopay")}

    assert any("@@" in account["email"] for account in accounts)
    assert any(account["email"].count("@") == 2 for account in accounts)
    assert any(
        account["ebill"] == "Y" and not account["email"] and account_key(number) not in linked
        for account in accounts
        for number in [account["account_number"]]
    )
    assert any(a["ebill"] == "N" and a["send_paper"] == "N" for a in accounts)
    assert any(amount_due(account) < ZERO for account in accounts)
    assert any(a["status"] == "active" and amount_due(a) == ZERO for a in accounts)
    assert any(account["equal_pay_amount"] for account in accounts)
    assert any(a["direct_pay"] == "Y" and a["account_number"] in mandates for a in accounts)
    assert any(mandate["maximum"] == "25.00" for mandate in mandates.values())
    assert any(int(mandate["days_prior"]) >= 18 for mandate in mandates.values())


def test_progress_counts_up_to_all_accounts(tmp_path):
    seen: list[tuple[int, int]] = []

    write_demo_city(tmp_path, accounts=3, progress=lambda done, of: seen.append((done, of)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("period", "end", "due"),
    [("2026-12", "2026-12-31", "2027-01-20"), ("2028-02", "2028-02-29", "2028-03-20")],
)
def test_a_period_ends_with_its_month_and_is_due_on_the_20th_of_the_next(
    tmp_path, period, end, due
):
    city = write_demo_city(tmp_path, accounts=2, period=period)

    described = tomllib.loads((city / "bundle.toml").read_text(encoding="utf-8"))["period"]
    assert (end, due) == (str(described["end"]), str(described["due_date"]))


def test_a_period_that_is_no_month_is_refused(tmp_path):
    with pytest.raises(ValueError):
        write_demo_city(tmp_path, period="October")
