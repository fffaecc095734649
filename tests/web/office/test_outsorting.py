"""A clerk holds a bill on the page of its account, and releases it there."""

from __future__ import annotations

import re
from datetime import date

import pytest
import sqlalchemy as sa

from database.tables import audit, bill, bill_run, outsorted_bill
from domain.identity import Role
from domain.money import Money

PAGE = "/office/customers/01.1001.1"
CLERK = "clerk 1"  # as the audit list names members of staff
OCTOBER = {"period": "2026-10"}


def test_a_clerk_holds_a_bill_and_releases_it(office, signed_in):
    clerk = signed_in(Role.CLERK)
    offered = clerk.get(PAGE).text

    held = clerk.post(f"{PAGE}/hold", reason="meter read twice", **OCTOBER)
    listed = clerk.get("/office/outsorted").text
    clerk.get(PAGE)
    released = clerk.post(f"{PAGE}/release", **OCTOBER)

    assert ">Hold this bill<" in offered and ">Release<" not in offered
    assert (200, True) == (held.status_code, "The bill is held back." in held.text)
    assert f"held back by {CLERK}: meter read twice" in held.text
    assert 'value="meter read twice"' not in held.text  # the reason of that bill, of no other
    assert "01.1001.1" in listed and "meter read twice" in listed
    assert (200, True) == (released.status_code, "The bill is released." in released.text)
    assert "No bill is held back." in clerk.get("/office/outsorted").text
    with office.database.reading() as books:
        acts = books.execute(sa.select(audit.c.who, audit.c.action).order_by(audit.c.id)).all()
    done = [tuple(act) for act in acts if act.action.endswith(" bill")]
    assert [(CLERK, "outsort bill"), (CLERK, "release bill")] == done


def test_without_a_reason_nothing_is_held(office, signed_in):
    supervisor = signed_in(Role.SUPERVISOR)
    supervisor.get(PAGE)

    answer = supervisor.post(f"{PAGE}/hold", reason=" ", **OCTOBER)

    assert (422, True) == (answer.status_code, "Say why: it is audited." in answer.text)
    with office.database.reading() as books:
        assert [] == books.execute(sa.select(outsorted_bill)).all()


def test_what_is_refused_is_said_on_the_page(signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)

    unknown = clerk.post(f"{PAGE}/hold", reason="looks wrong", period="2031-01")
    nobody = clerk.post(f"{PAGE}/release", **OCTOBER)

    assert (422, True) == (unknown.status_code, "No export of period 2031-01" in unknown.text)
    assert (422, True) == (nobody.status_code, "is not held" in nobody.text)


def test_who_may_only_look_sees_that_a_bill_is_held_and_no_button(signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)
    clerk.post(f"{PAGE}/hold", reason="looks wrong", **OCTOBER)

    page = signed_in(Role.CSR).get(PAGE).text

    assert "is held back by" in page
    assert ">Release<" not in page and ">Hold this bill<" not in page


A_BILL = {
    "period": "2026-10", "form": "utility-bill", "account_key": "0110011", "ordinal": 1,
    "account": "01.1001.1", "bulk": 0, "first_page": 1, "pages": 1,
    "printed_amount_due": Money(1_234_50), "printed_due_on": date(2026, 11, 20),
    "pdf": "2026-10/utility-bill/01.1001.1.pdf", "sha256": "5" * 64, "size": 8, "lacks": "",
}  # fmt: skip


@pytest.fixture
def a_bill(office) -> str:
    """Put the PDF of October's bill into the store; return where staff look at it."""
    with office.database.writing() as books:
        books.execute(bill.insert().values(A_BILL))
    office.store.write(A_BILL["pdf"], b"%PDF-1.7")
    return f"{PAGE}/bill/{A_BILL['sha256']}"


def test_a_clerk_opens_a_bill_that_is_held_and_nobody_one_of_an_open_period(
    office, signed_in, a_bill
):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGE)
    clerk.post(f"{PAGE}/hold", reason="meter read twice", **OCTOBER)

    offered, sent = clerk.get(PAGE).text, clerk.get(a_bill)
    other = clerk.get(a_bill.replace("01.1001.1", "01.1002.2"))
    later = {"period": "2026-11", "sha256": "6" * 64}
    with office.database.writing() as books:
        run = books.execute(sa.select(bill_run)).mappings().one()
        books.execute(bill_run.insert().values({**run, "period": "2026-11"}))
        books.execute(bill.insert().values(A_BILL | later))
    before = clerk.get(f"{PAGE}/bill/{later['sha256']}")

    assert f'href="{a_bill}"' in offered
    assert (200, b"%PDF-1.7") == (sent.status_code, sent.content)
    assert [404, 404] == [other.status_code, before.status_code]


def test_amounts_stand_in_dollars_on_the_page_of_an_account(signed_in, a_bill):
    page = signed_in(Role.CSR).get(PAGE).text

    assert re.search(r'<td class="num">\$[\d,]+\.\d\d</td>', page)
    assert not re.search(r"<td[^>]*>-?\d+\.\d\d</td>", page)
