"""What a report lists beside checks and mails: who cannot be reminded, who was not scheduled."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from database.definitions.arrangements import arrangement
from database.feed.tables import feed_finding
from database.ledger.tables import feed_file
from database.queries.exceptions import exceptions
from database.tables import delivery, planned_payment
from domain.accounts import account_key
from domain.deliveries import UNSUBSCRIBED
from domain.money import Money
from domain.payments import MethodKind
from reporting.run_sheet.exceptions import list_exceptions
from tests.billing_system.feed.builders import tell_change
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.mail.reminder_builders import DUE_MAIL, queue, schedule

NUMBER = "01.1037.1"


def listed(database) -> list[tuple[str, str, str]]:
    return [(row.account, row.stage, row.code) for row in list_exceptions(database, RUN)]


def test_who_cannot_be_reminded_is_listed_once_reminding_has_begun(database):
    stage_run(database, a_household(NUMBER, mandates=(), email=""), a_household("01.1038.2"))
    close_run(database)

    before = listed(database)
    queue(database, DUE_MAIL, "2026-11-17T06:00")

    assert [] == before
    assert [(NUMBER, "mail", "reminder-no-address")] == listed(database)
    assert all(row.fix for row in list_exceptions(database, RUN))


def test_a_planned_payment_that_was_not_scheduled_is_listed_until_it_is(database):
    stage_run(database, a_household(NUMBER))
    close_run(database)
    with database.writing() as books:
        books.execute(
            planned_payment.insert().values(
                period=RUN, account_key=account_key(NUMBER), account=NUMBER,
                amount=Money.parse("80.00"), pay_on=date(2026, 11, 13), immediate=False,
                method_token="tok", method_kind=MethodKind.ACH, last4="6789",
            )
        )  # fmt: skip

    before = listed(database)
    schedule(database, NUMBER)

    assert [(NUMBER, "autopay", "autopay-left-out")] == before
    assert [] == listed(database)


def test_the_report_lists_what_the_command_lists_and_nobodys_wish(database):
    stage_run(database, a_household(NUMBER), a_household("01.1038.2"))
    close_run(database)
    queue(database, DUE_MAIL, "2026-11-17T06:00")

    for account, error in ((NUMBER, UNSUBSCRIBED), ("01.1038.2", "550 no such user")):
        with database.writing() as books:
            books.execute(
                delivery.update()
                .where(delivery.c.account == account)
                .values(status="failed", error=error)
            )
    with database.reading() as books:
        rows = books.execute(exceptions()).all()

    assert [("01.1038.2", "mail", "mail-failed")] == listed(database)
    assert listed(database) == [(row.account, row.stage, row.code) for row in rows]


def test_what_waits_of_the_feed_and_of_plans_is_told_with_what_to_do(database):
    stage_run(database, a_household("1"))
    close_run(database)
    tell_change(database, "phone", "555 0100", NOW)
    found = {"account_key": "1", "account": "1", "message": "-", "found_at": NOW}
    plan = {"account_key": "1", "account": "1", "period": RUN, "timezone": "America/Denver",
            "reason": "asked", "made_at": NOW, "made_by": "anna", "made_from": "",
            "by_customer": False}  # fmt: skip
    with database.writing() as books:
        feed = books.scalar(sa.select(feed_file.c.number))
        for place, code in enumerate(("movement-changed", "wrong-sign", "bad-moment")):
            one = {**found, "feed": feed, "place": str(place), "code": code}
            books.execute(feed_finding.insert().values(**one))
        books.execute(arrangement.insert().values(**plan, state="waiting"))

    rows = {row.code: row for row in list_exceptions(database, RUN)}

    codes = {"movement-changed", "wrong-sign", "bad-moment", "arrangement-waiting"}
    assert codes == {code for code, row in rows.items() if row.fix and not row.blocking}
