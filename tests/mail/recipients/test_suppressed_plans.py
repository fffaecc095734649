"""How a bill goes out when mails to its customer came back earlier."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.tables import delivery_plan, recipient, suppressed_address
from domain.accounts import AccountStatus
from domain.deliveries import PaperReason
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from rules.mail.delivery import plan_delivery
from tests.builders import NOW, RUN, a_household, stage_run

ANN, BEN = "Ann@x.example", "ben@x.example"


def suppress(database, *mailboxes: str) -> None:
    with database.writing() as books:
        for mailbox in mailboxes:
            books.execute(
                suppressed_address.insert().values(mailbox=mailbox, since=NOW, reason="5.1.1 gone")
            )


def planned(database) -> tuple[PaperReason | None, list[str]]:
    plan_deliveries(database, RUN, PlanTerms())
    with database.reading() as books:
        paper = books.execute(sa.select(delivery_plan.c.paper)).scalar_one()
        return paper, list(books.scalars(sa.select(recipient.c.mailbox).order_by("mailbox")))


def test_a_mailbox_that_rests_is_not_written_to_and_the_others_are(database):
    stage_run(database, a_household(email=f"{ANN};{BEN}", mandates=()))
    suppress(database, ANN.casefold())

    assert (None, [BEN]) == planned(database)


def test_where_none_is_left_the_bill_goes_on_paper_and_says_why(database):
    stage_run(database, a_household(email=ANN, links=((BEN, True),), mandates=()))
    suppress(database, ANN.casefold(), BEN)

    assert (PaperReason.EBILL_BOUNCED, []) == planned(database)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"ebill": False}, PaperReason.NO_EBILL, id="not paperless"),
        pytest.param({"send_paper": True}, PaperReason.SEND_PAPER, id="asked for paper"),
        pytest.param({"status": AccountStatus.CLOSED}, None, id="closed"),
        pytest.param({"record": []}, PaperReason.NO_VALID_EMAIL, id="never had an address"),
    ],
)
def test_another_reason_comes_before_the_bounce(facts, expected):
    usual = {"status": AccountStatus.ACTIVE, "ebill": True, "send_paper": False, "record": [ANN]}
    more = {"portal_links": (), "landlords": (), "suppressed": {ANN.casefold()}}

    assert expected == plan_delivery("1", **usual | more | facts).paper
