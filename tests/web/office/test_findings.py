"""What a clerk does about a finding, from the finding itself."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.checking.tables import check_mute
from database.tables import audit, check_finding, check_result, outsorted_bill
from domain.checks import CheckStatus, Severity
from domain.identity import Role

LIST = "/office/exceptions/findings"
DECIDE = f"{LIST}/decide"
KEY = "2026-10/usage-outlier/1"


@pytest.fixture
def found(office):
    """A warning about one account's water."""
    with office.database.writing() as books:
        result = {"period": "2026-10", "check_name": "usage-outlier", "position": 1}
        result |= {"severity": Severity.WARNING, "status": CheckStatus.WARNED, "failed": 1}
        result |= {"what": "A usage is far above what is usual.", "fix": "Read again.", "error": ""}
        books.execute(check_result.insert().values(result))
        books.execute(
            check_finding.insert().values(
                period="2026-10", check_name="usage-outlier", line=1, account_key="0110011",
                account="01.1001.1", detail="93 used, expected is 31", service="WATER",
            )
        )  # fmt: skip
    return office


def rows(office, table):
    with office.database.reading() as books:
        return books.execute(sa.select(table)).all()


def test_a_bill_is_held_from_the_finding(found, signed_in):
    clerk = signed_in(Role.CLERK)
    listed = clerk.get(LIST).text
    shown = clerk.get(f"{DECIDE}?key={KEY}").text

    done = clerk.post(DECIDE, key=KEY, way="held", reason="meter in doubt")

    assert "93 used, expected is 31" in listed and DECIDE in listed
    assert "Hold this bill" in shown and "Known until" in shown
    assert 303 == done.status_code, done.text
    (held,) = rows(found, outsorted_bill)
    assert ("0110011", "meter in doubt", "clerk 1") == (
        held.account_key, held.reason, held.outsorted_by,
    )  # fmt: skip


def test_an_account_is_known_until_a_day_from_the_finding(found, signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(f"{DECIDE}?key={KEY}")

    answers = [
        clerk.post(DECIDE, key=KEY, way="known", reason="pool filled", **more)
        for more in (
            {},
            {"detail": "soon"},
            {"detail": "2030-01-01"},
            {"detail": "2026-12-31", "more": "a lot"},
            {"detail": "2026-12-31", "more": "$500.00"},
        )
    ]

    assert [422, 422, 422, 422, 303] == [answer.status_code for answer in answers]
    (mute,) = rows(found, check_mute)
    assert ("usage-outlier", "0110011", "WATER", "2026-12-31", "pool filled") == (
        mute.check_name, mute.account_key, mute.service, mute.until.isoformat(), mute.reason,
    )  # fmt: skip
    assert "500.00" == str(mute.up_to)
    assert (
        "mute check", "clerk 1",
        "usage-outlier until 2026-12-31 up to $500.00 at stake, WATER: pool filled",
    ) in {(row.action, row.who, row.detail) for row in rows(found, audit)}  # fmt: skip


def test_a_finding_that_a_later_check_took_away_is_nobodys_page(found, signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(f"{DECIDE}?key={KEY}")
    with found.database.writing() as books:
        books.execute(check_finding.delete())

    answers = [
        clerk.post(DECIDE, key=KEY, reason="pool filled", detail="2026-12-31", way=way)
        for way in ("held", "known")
    ]

    assert [404, 404] == [answer.status_code for answer in answers]
    assert ([], []) == (rows(found, check_mute), rows(found, outsorted_bill))


def test_who_may_only_look_is_offered_nothing(found, signed_in):
    auditor = signed_in(Role.AUDITOR)

    assert DECIDE not in auditor.get(LIST).text
    assert 403 == auditor.send(DECIDE, key=KEY, way="held", reason="x").status_code
