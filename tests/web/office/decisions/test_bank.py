"""The bank's file on its page: taken in, what differs beside its payout, settled with a reason."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.tables import audit, settlement
from domain.identity import Role
from domain.money import ZERO, Money
from tests.builders import NOW
from tests.payments.bank.bank_files import DAY, TWO, bai2
from web.guarding import BANK, largest_of


@pytest.fixture
def clerk(office, signed_in):
    with office.database.writing() as books:
        books.execute(
            settlement.insert().values(
                settlement_id="po_1", gateway="sandbox", pays_out_on=DAY, gross=Money(100_00),
                fees=ZERO, net=Money(100_00), recorded_at=NOW,
            )
        )  # fmt: skip
    return signed_in(Role.CLERK)


def sent(browser, content: str, name: str = "nov.bai", token: str | None = None):
    browser.get(BANK)
    fields = {"csrf": browser.token if token is None else token}
    return browser.ask_with_files(BANK, fields, {"file": (name, content.encode())})


def test_a_file_is_taken_in_and_what_differs_stands_beside_its_payout(clerk):
    page = sent(clerk, TWO)

    assert 200 == page.status_code
    assert "nov.bai: 2 lines, 2 new." in page.text
    assert "1 deposit agrees, $100.00, from Nov 17, 2026 to Nov 17, 2026." in page.text
    assert "in the bank, and no payout here" in page.text
    assert "-$40.00" in page.text
    assert "it was taken in before" in sent(clerk, TWO).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TWO.replace("64000", "64001"), "row 6 says a control total of $640.01"),
        ("", "The bank&#39;s file is empty."),
        ("a,b\n1,2\n", "no row with the headings Date, Amount, Description"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_beside_its_field(clerk, content, said):
    page = sent(clerk, content)

    assert 422 == page.status_code
    assert said in page.text
    assert "No file of the bank was taken in yet." in page.text


def test_no_file_at_all_is_asked_for(clerk):
    clerk.get(BANK)

    page = clerk.ask_with_files(BANK, {"csrf": clerk.token}, {"file": ("", b"")})

    assert "Choose the bank" in page.text


def test_a_line_is_settled_with_a_reason_and_audited_by_the_person(office, clerk):
    item = _item(sent(clerk, TWO).text)

    assert "Say how it was settled" in clerk.post(f"{BANK}/settle", item=item, reason="").text
    assert "Choose the line" in clerk.post(f"{BANK}/settle", item="po_9", reason="x").text
    done = clerk.post(f"{BANK}/settle", item=item, reason="A grant of the county")

    assert f"{BANK}?done=settled" == done.headers["location"]
    after = clerk.get(done.headers["location"]).text
    assert "The line is settled." in after and "Nothing differs." in after
    with office.database.reading() as books:
        who = books.scalar(sa.select(audit.c.who).where(audit.c.action == "settle bank difference"))
    assert "clerk 1" == who


def _item(page: str) -> str:
    _, _, rest = page.partition('name="item" value="')
    return rest.partition('"')[0]


def test_without_the_forms_own_token_nothing_is_taken_in(clerk):
    answer = sent(clerk, TWO, token="other")

    assert 403 == answer.status_code
    assert "No file of the bank was taken in yet." in clerk.get(BANK).text


def test_an_auditor_sees_what_differs_and_can_settle_nothing(clerk, signed_in):
    sent(clerk, TWO)

    auditor = signed_in(Role.AUDITOR)
    page = auditor.get(BANK).text

    assert "in the bank, and no payout here" in page
    assert "Take in" not in page and '<button class="main">Settle' not in page
    assert 403 == auditor.post(f"{BANK}/settle", item="x", reason="y").status_code


def test_a_file_that_is_too_large_is_refused_before_it_is_read(clerk):
    assert 413 == sent(clerk, "x" * (largest_of(BANK) + 1)).status_code


def test_words_of_the_bank_are_escaped(clerk):
    page = sent(clerk, TWO.replace("STRIPE RETURNS", "<script>alert(1)</script>")).text

    assert "<script>alert" not in page


def test_what_differs_is_red_on_the_start_page_and_leads_to_the_bank_and_to_what_to_do(clerk):
    assert "deposits-differ" not in clerk.get("/office").text
    sent(clerk, TWO)

    start = clerk.get("/office").text

    assert (
        f'<a href="{BANK}">1 difference between the bank and the gateway&#39;s payouts</a>' in start
    )
    assert '<a href="/office/runbook/deposits-differ">The bank and the payouts differ</a>' in start


def test_a_line_that_joins_payouts_is_told_and_one_of_several_ways_is_left_to_a_person(
    clerk, office
):
    with office.database.writing() as books:
        for name, cents in (("po_2", 20_00), ("po_3", 30_00)):
            books.execute(
                settlement.insert().values(
                    settlement_id=name, gateway="sandbox", pays_out_on=DAY, gross=Money(cents),
                    fees=ZERO, net=Money(cents), recorded_at=NOW,
                )
            )  # fmt: skip
    joined = sent(clerk, bai2(("142", 50_00, ",R1,,STRIPE"), ("142", 100_00, ",R2,,STRIPE po_1")))
    assert "po_2, po_3: joined at the bank, $50.00 on 2026-11-17" in joined.text
    assert "Nothing differs." in joined.text

    unsure = sent(clerk, bai2(("142", 50_00, ",R3,,STRIPE")), "dec.bai")

    assert unsure.text.count("add up in several ways: a person has to say") == 4
