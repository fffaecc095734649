"""A clerk holds a bill on the page of its account, and releases it there."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import audit, outsorted_bill
from domain.identity import Role

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
