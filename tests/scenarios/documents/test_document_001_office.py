"""The slides of the utility portal, as the office goes through them, in their order."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Refused
from domain.identity import Role
from office.settings.money import RemindersSettings
from payments.scheduling.scheduling import schedule_autopay
from rules.calendars import earliest_close
from tests.builders import NOW, OFFICE_DEFAULTS
from tests.mail.reminder_builders import DUE_MAIL, LATE_MAIL, queue
from tests.scenarios.documents.city import (
    ASH,
    BO,
    ELM,
    ELM_KEY,
    GUM,
    LARA,
    YEW,
    words,
)
from tests.web.customers.conftest import PASSWORD, Browser

TEMPLATES = "/office/communications/templates"


def test_staff_sign_in_at_the_same_address_as_users_whom_the_office_made(city):
    """Rule 141: a customer's address and password open nothing of the office."""
    staff, customer = Browser(city.desk), Browser(city.desk)
    let_in = staff.send("/office/sign-in", email="admin@larkspur.example", password=PASSWORD)
    kept_out = customer.send("/office/sign-in", email=BO, password=PASSWORD)

    assert "/office" == let_in.headers["location"]
    assert "/office" != kept_out.headers.get("location")


def test_the_whole_portal_and_the_utilitys_part_of_it_are_two_administrations(city):
    """Rule 206: settings and staff are the administrator's, mails and autopay the office's."""
    admin, clerk = city.staff(Role.ADMIN), city.staff(Role.CLERK)
    whole = ["/office/settings", "/office/settings/theme", "/office/emails/events"]
    part = [TEMPLATES, "/office/payments", "/office/autopay", "/office/communications"]

    assert [200] * 7 == [admin.get(path).status_code for path in (*whole, *part)]
    assert [200] * 4 == [clerk.get(path).status_code for path in part]
    assert 403 == clerk.get("/office/settings/staff").status_code


def test_each_kind_of_bill_has_its_mail_and_the_editor_says_which_is_open(city):
    """Rules 14-18 and 107: final bills, notices and invoices stand in one list."""
    admin = city.staff(Role.ADMIN)
    listed = words(admin.get(TEMPLATES))
    editor = admin.get(f"{TEMPLATES}/edit?name=utility-bill")

    for form in ("Utility bill", "Final bill", "Delinquent notice", "Invoice"):
        assert form in listed
    assert "You are editing: The mail with each bill of the form utility-bill" in words(editor)
    assert 'data-insert="{{ LatestCommunicationLink }}"' in editor.text


def test_the_mails_that_go_by_themselves_have_our_words_until_the_office_has_its_own(city):
    """Rules 83, 98-100: reminders, overdue, failed autopay; the receipt has facts of its own."""
    admin = city.staff(Role.ADMIN)
    mails = words(admin.get(TEMPLATES)).partition("Mails of the portal")[2]
    receipt = words(admin.get(f"{TEMPLATES}/edit?name=notices/receipt"))
    failed = words(admin.get(f"{TEMPLATES}/edit?name=notices/autopay-failed"))

    for mail in ("Payment due", "Past due", "Autopay failed", "Receipt"):
        assert mail in mails
    assert "Mails have our text now." in receipt
    assert "a payment: of a bill, of other things, of several at once" in receipt
    assert "{{ lines }}" in receipt and "{{ failure_reason }}" in failed
    assert "{{ failure_reason }}" not in receipt


@pytest.mark.parametrize(
    ("kind", "at", "owed"),
    [
        (DUE_MAIL, "2026-11-17T05:59", False),
        (DUE_MAIL, "2026-11-17T06:00", True),
        (LATE_MAIL, "2026-11-21T05:59", False),
        (LATE_MAIL, "2026-11-21T06:00", True),
    ],
)
def test_two_reminders_leave_at_six_three_days_before_and_one_day_after(city, kind, at, owed):
    """Rules 90-94 and 98: the days and the hour are settings, the day of the week is none."""
    chosen = RemindersSettings()

    assert (3, 1, "06:00") == (chosen.days_before_due, chosen.days_after_due, chosen.time)
    assert owed is (queue(city.office.database, kind, at, records=False).owed > 0)


def test_a_landlord_is_told_in_the_list_of_who_sees_which_account(city):
    """Rules 132 and 133."""
    linked = words(city.staff(Role.ADMIN).get("/office/portal-users"))

    assert YEW in linked and LARA in linked


def test_scheduling_comes_after_the_close_or_is_refused(city):
    """Rules 2, 7, 9 and 42: November is open, and nothing of it is scheduled."""
    with pytest.raises(Refused, match="2026-11"):
        schedule_autopay(
            city.office.database,
            "2026-11",
            now=NOW,
            today=NOW.date(),
            closed=frozenset(),
            policy=OFFICE_DEFAULTS,
        )


def test_whoever_is_enrolled_stands_in_one_of_the_two_lists(city):
    """Rules 41, 72, 74-77, 80-82, 184, ruling 2: Excel has what is shown."""
    clerk = city.staff(Role.CLERK)
    scheduled, without = (
        clerk.get(path) for path in ("/office/payments", "/office/payments/unscheduled")
    )
    narrowed = clerk.get("/office/payments", params={"name": "nobody"})
    book = openpyxl.load_workbook(
        io.BytesIO(clerk.get("/office/payments/export.xlsx?name=bole").content)
    )

    assert f"{ELM} Bole, Bo 2026-11-13 $40.00 Pending" in words(scheduled)
    assert "Pending 2026-10 card 4242 no scheduled" in words(scheduled)
    assert f"{ASH} Beltran, Sven nothing owed" in words(without)
    assert ELM not in words(narrowed)
    assert ELM == book.active["A2"].value and 2 == book.active.max_row


def test_the_list_of_the_enrolled_has_method_last_four_and_date(city):
    """Rules 65 and 66: each with a way to end it."""
    page = words(city.staff(Role.CLERK).get("/office/autopay"))

    assert f"{ELM} End autopay Bole, Bo" in page
    assert "card 4242 5 2026-04-09" in page


def test_the_office_enrolls_a_customer_who_cannot(city):
    """Rule 64: the account, then a portal user or a typed address; days, maximum and method."""
    clerk = city.staff(Role.CLERK)
    clerk.get("/office/autopay/enroll")
    asked = clerk.post("/office/autopay/enroll", account=GUM, address=BO)
    if asked.status_code == 303:
        asked = clerk.get(asked.headers["location"])

    assert "Days prior to due date" in words(asked)
    assert "aximum" in words(asked) and "4242" in words(asked)


def test_a_communication_has_a_title_a_last_day_and_is_removed_again(city):
    """Rules 105, 106 and 110."""
    admin = city.staff(Role.ADMIN)
    form = words(admin.get("/office/communications/add"))
    listed = words(admin.get("/office/communications"))

    assert "Title Last day it is shown (optional)" in form
    assert "1 Change or remove Rates of 2027" in listed


def test_email_events_list_every_mail_but_the_bills(city):
    """Rules 19 and 101."""
    mail = {
        "period": "2026-10", "account_key": ELM_KEY, "account": ELM, "address": BO, "attempts": 1,
        "queued_at": NOW, "next_try_at": NOW, "sent_at": NOW, "possible_duplicate": False,
        "status": DeliveryStatus.SENT,
    }  # fmt: skip
    with city.office.database.writing() as books:
        for kind, form in ((MessageKind.BILL, "utility-bill"), (MessageKind.PAST_DUE, "past-due")):
            own = {"key": form, "message_id": form, "kind": kind, "form": form}
            books.execute(delivery.insert().values(own | mail))
    admin = city.staff(Role.ADMIN)
    events, all_mails = (
        words(admin.get(path)) for path in ("/office/emails/events", "/office/emails")
    )

    assert "past-due" in events and "utility-bill" not in events
    assert "past-due" in all_mails and "utility-bill" in all_mails


def test_pending_payments_are_blank_in_the_office_and_at_the_console_and_only_posted_again(city):
    """Rules 84-89: the same list for whoever is at customer service's desk."""
    clerk, csr = city.staff(Role.CLERK), city.staff(Role.CSR)
    pages = [
        words(one.get(f"/office/payments/{name}"))
        for one in (clerk, csr)
        for name in ("pending", "completed")
    ]
    console = csr.get("/csr").text

    assert "This list should always be blank." in pages[0]
    assert "Trying again posts; it never charges anybody." in pages[0] and "Retry now" in pages[0]
    assert "Nothing is pending." in pages[0] and "Nothing is pending." in pages[2]
    assert "Source" in pages[1] and "Source" in pages[3]
    assert 'href="/office/payments"' in console  # Go to Payment Administration


def test_deposits_show_what_was_in_them_and_when_it_was_posted(city):
    """Rules 113-116: by date and provider."""
    page = words(city.staff(Role.CLERK).get("/office/deposits"))

    assert "Deposit Provider Date" in page and "Posted at" in page


def test_welcome_and_further_words_are_the_offices(city):
    """Rules 71, 199, 200, 205 and 209: each is a setting that can be changed later."""
    page = words(city.staff(Role.ADMIN).get("/office/settings"))

    for name in ("landing", "login_top", "payment_complete", "guests", "cart", "require_comment"):
        assert name in page, name


def test_why_a_customer_cannot_link_is_found_by_the_administrators_own_link(city):
    """Rules 123 and 126: the console shows the last name on file and links by itself."""
    page = words(city.staff(Role.ADMIN).get(f"/csr/accounts/{ELM_KEY}"))

    assert "Bole, Bo" in page and "Link this account to me" in page


def test_a_period_is_closed_the_day_after_its_last_or_the_next_working_day():
    """Rules 5 and 6: a Sunday and a holiday are waited for."""
    ends = [date(2026, 10, 31), date(2026, 12, 31), date(2027, 1, 31)]

    assert [date(2026, 11, 2), date(2027, 1, 4), date(2027, 2, 1)] == [
        earliest_close(day, frozenset({date(2027, 1, 1)})) for day in ends
    ]
