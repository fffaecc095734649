"""The home page beyond the balance: what is new, what came last, what is offered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from database.queries.portal.standings import standings_of
from database.tables import communication
from domain.money import Money
from office.secrets.files import make_secret
from tests.builders import NOW, a_household, stage_run
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import LANDLORD, TENANT, signed_in, words
from tests.web.customers.history.conftest import MINE

EVENING = datetime(2026, 11, 17, 1, 30, tzinfo=UTC)  # November 16, half past six in Denver


def post(office, added_at: datetime, **more) -> None:
    with office.database.writing() as books:
        books.execute(
            communication.insert().values(
                number=1, title="Rates", sha256="0" * 64, added_at=added_at, added_by="anna",
                written_at=added_at, link="", size=1, pages=1, **more,
            )
        )  # fmt: skip


def test_the_latest_transactions_lead_to_their_breakdown(ann):
    page = ann.get("/").text

    assert "Latest transactions" in page
    assert f'href="/accounts/{MINE}/lines/2026-10-0"' in page and "($20.00)" in page


def test_rule_67_autopay_is_offered_after_linking_and_can_be_skipped(ann, bob):
    offered = ann.get(f"/?done=linked&account={MINE}").text

    assert "Account 01.1037.1 is linked." in offered and '<a href="/">Not now</a>' in offered
    assert "is linked" not in ann.get("/").text
    assert "is linked" not in bob.get(f"/?done=linked&account={MINE}").text


@pytest.mark.parametrize(
    ("days", "more", "is_told"),
    [
        (2, {}, True),
        (40, {}, False),
        (2, {"expires_on": date(2026, 10, 1)}, False),
        (2, {"removed_at": NOW}, False),
    ],
)
def test_rule_112_what_was_posted_lately_is_pointed_to(year, ann, days, more, is_told):
    post(year, NOW - timedelta(days=days), **more)

    assert is_told == ("There is news from us" in ann.get("/").text)


def test_the_second_step_has_its_address_of_the_table(ann):
    assert "/sign-in/code" == ann.get("/second-step").headers["location"]


@pytest.mark.parametrize(
    ("taken", "elsewhere", "last"),
    [
        (None, None, None),
        ((Money(80_00), EVENING), None, (Money(80_00), date(2026, 11, 16))),  # by local clocks
        (None, (Money(20_00), date(2026, 10, 5)), (Money(20_00), date(2026, 10, 5))),
        (
            (Money(80_00), EVENING),
            (Money(20_00), date(2026, 11, 17)),
            (Money(20_00), date(2026, 11, 17)),
        ),
        (
            (Money(80_00), EVENING),
            (Money(20_00), date(2026, 11, 16)),
            (Money(80_00), date(2026, 11, 16)),
        ),
    ],
)
def test_rule_46_the_last_payment_is_the_newest_wherever_it_was_made(ann, taken, elsewhere, last):
    with ann.app.state.office.database.reading() as books:
        (standing,) = standings_of(books, [MINE])

    paid = replace(standing, taken_last=taken, paid_elsewhere=elsewhere)

    assert last == paid.last_paid(ZoneInfo("America/Denver"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (TENANT, "Your accounts stand here as soon as their bills are out."),
        (LANDLORD, "Your accounts stand here as soon as their bills are out."),
        ("somebody@example.com", "No account is linked to you yet."),
    ],
)
def test_before_the_first_bills_whoever_is_linked_is_not_sent_to_link(
    tmp_path, books, address, said
):
    """So it is again where the only close of an account is taken back."""
    make_secret(tmp_path)
    stage_run(
        books,
        a_household(links=((TENANT, True),), cosigner_id="L1", mandates=()),
        landlords=(("L1", LANDLORD),),
    )
    office = an_office_at(tmp_path, books, "2026-11-03T09:00")

    page = words(signed_in(office, books, asking(office), address).get("/"))

    assert said in page
