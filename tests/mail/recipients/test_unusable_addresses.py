"""What an export calls a portal user's or a landlord's address, and no mail can be addressed to."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.queries.debtors import unreachable_debtors
from database.tables import delivery_plan, portal_user, recipient
from domain.accounts import account_key
from domain.deliveries import PaperReason
from identity.paperless import delivery_of
from mail.communications.audience import read_portal_users
from mail.recipients.addresses import read_addresses
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from office.lookup.why.explaining import explain_account
from office.secrets.files import make_secret
from rules.mail.delivery import plan_delivery
from tests.builders import RUN, a_household, close_run, stage_run
from tests.mail.reminder_builders import DUE_MAIL, queue
from tests.office.health_builders import an_office_at
from tests.outsorting.builders import ANN as NUMBER
from tests.outsorting.builders import close_month, stage_bills

ANN, NOBODY = "ann@customer.example", "ann at customer"


def planned(database) -> tuple[bool, PaperReason | None, list[str]]:
    plan_deliveries(database, RUN, PlanTerms())
    with database.reading() as books:
        paperless, paper = books.execute(
            sa.select(delivery_plan.c.paperless, delivery_plan.c.paper)
        ).one()
        return paperless, paper, list(books.scalars(sa.select(recipient.c.address)))


@pytest.mark.parametrize(
    ("record", "links", "landlord", "expected"),
    [
        ("", ((NOBODY, True),), "", (True, PaperReason.NO_VALID_EMAIL, [])),
        ("", ((NOBODY, True), (ANN, False)), "", (True, None, [ANN])),
        (ANN, ((NOBODY, True),), "", (True, None, [ANN])),
        ("", ((NOBODY, True),), "lord@", (True, PaperReason.NO_VALID_EMAIL, [])),
        ("", ((NOBODY, True),), "lord@x.example", (True, None, ["lord@x.example"])),
        (ANN, ((NOBODY, False),), "lord@", (False, PaperReason.NO_EBILL, [])),
    ],
)
def test_the_choice_counts_and_without_another_address_the_bill_is_printed(
    database, record, links, landlord, expected
):
    house = a_household(
        email=record, ebill=False, links=links, mandates=(), cosigner_id="LL1" if landlord else ""
    )
    stage_run(database, house, landlords=[("LL1", landlord)] if landlord else ())

    assert expected == planned(database)


@given(st.lists(st.tuples(st.none() | st.just(ANN), st.booleans())))
def test_whoever_is_paperless_is_mailed_or_printed(links):
    plan = plan_delivery(
        "1", "active", ebill=False, send_paper=False, record=(), portal_links=links, landlords=()
    )

    assert plan.paperless == any(choice for _, choice in links)
    assert (plan.paper is None) == bool(plan.recipients)
    assert {ANN} >= {found.address for found in plan.recipients}


def test_nobody_is_reminded_there_and_the_account_is_an_exception(database):
    stage_run(database, a_household(NUMBER, email="", links=((NOBODY, True),), mandates=()))
    close_run(database)

    counts = queue(database, DUE_MAIL, "2026-11-17T06:00")

    assert 0 == counts.queued
    with database.reading() as books:
        assert [NUMBER] == [row.account for row in books.execute(unreachable_debtors())]
        assert () == read_addresses(books, RUN).of(account_key(NUMBER), "")


@pytest.mark.parametrize(
    ("links", "landlord", "expected"),
    [
        (((NOBODY, True),), "", (True, 0, False)),
        (((NOBODY, True),), "lord@", (True, 0, False)),
        (((NOBODY, True),), "lord@x.example", (True, 0, True)),
        (((NOBODY, True), (ANN, False)), "", (True, 1, True)),
    ],
)
def test_pages_say_so_of_a_bill_that_no_mail_can_bring(database, links, landlord, expected):
    house = a_household(NUMBER, email="", ebill=False, links=links, mandates=(), cosigner_id="LL1")
    stage_run(database, house, landlords=[("LL1", landlord)])
    close_run(database)

    with database.reading() as books:
        found = delivery_of(books, account_key(NUMBER), "tess@x.example")

    assert expected == (found.by_mail, found.others, found.is_reached)


def test_a_letter_to_all_portal_users_counts_one_who_cannot_be_written_to(database):
    stage_run(database, a_household(NUMBER, links=((ANN, True), (NOBODY, True))))
    with database.writing() as books:
        for address in (ANN, NOBODY):
            books.execute(
                portal_user.insert().values(period=RUN, mailbox=address, address=address, name="A")
            )

    with database.reading() as books:
        readers = list(read_portal_users(books, RUN))

    assert [None, ANN] == [one and one.recipient.address for one in readers]


def test_why_says_what_is_wrong_with_the_address(tmp_path, database):
    make_secret(tmp_path)
    stage_bills(database, a_household(NUMBER, email="", links=((NOBODY, True),)))
    close_month(database)

    found = explain_account(an_office_at(tmp_path, database, "2026-11-05T09:00"), NUMBER, RUN)

    said = [one.text for one in found.sentences if one.text.startswith(NOBODY)]
    assert any(
        f"{NOBODY} of a linked portal user is no address to mail to: " in one for one in said
    )
