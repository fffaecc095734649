"""The office's pages that staff change something on, held to the law at a desk and on a phone."""

from __future__ import annotations

import json

import pytest

from database.definitions.desk import desk_work
from database.tables import bulk_file, page
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.settings.close import WebSettings
from tests.browser.portal.conftest import DESKTOP, MINE, PHONE, WINDOWS
from tests.builders import NOW, RUN
from tests.web.customers.conftest import PASSWORD
from tests.web.office.sorting.test_sorting import draw_file

ADMIN = "admin@larkspur.example"
GROUP = {
    "payments": 2,
    "amount": "140.00",
    "today": 2,
    "amount_today": "140.00",
    "meaning": "today",
}
FIGURES = {
    "as_of": "2026-11-03",
    "autopay": {"scheduled": 2, "immediate": 2, "unscheduled": 1, "amount": "140.00"},
    "groups": {"immediate": GROUP, "short-notice": GROUP},
    "left_out": {"payments": 0, "amount": "0.00"},
    "is_late": True,
}


@pytest.fixture
def office_settings():
    return {"web": WebSettings(staff_totp=False)}


@pytest.fixture
def admin(portal) -> None:
    office = portal.office
    with office.database.writing() as books:
        mail = add_staff(books, office.link_tokens, ADMIN, Role.ADMIN, NOW, "anna")
    token = office.link_tokens.token(mail.link)
    assert choose_staff_password(office.database, Passwords(), token, PASSWORD, NOW)


@pytest.fixture
def lost_page(portal) -> None:
    """A page of the closed October that belongs to nobody, and a rehearsed schedule of it."""
    draw_file(portal.office.exports_folder / "bills.pdf")
    with portal.office.database.writing() as books:
        books.execute(
            bulk_file.insert().values(
                period=RUN, bulk=0, form="utility-bill", file="bills.pdf", path="bills.pdf",
                account_pattern=r"Account (\S+)",
            )
        )  # fmt: skip
        books.execute(
            page.insert().values(
                period=RUN, bulk=0, page=1, disposition="unassigned", account_key="0110371",
                seems_key="0220002", reason="It names no account.",
            )
        )  # fmt: skip
        books.execute(
            desk_work.insert().values(
                key="1", kind=WorkKind.SCHEDULE_REHEARSAL, period=RUN, bundle="", who="clerk 1",
                state=WorkState.DONE, began_at=NOW, ended_at=NOW, figures=json.dumps(FIGURES),
            )
        )  # fmt: skip


@WINDOWS
def test_an_admin_goes_through_what_can_be_changed(someone, known, admin, lost_page, window):
    known("ann@portal.example", MINE)
    clerk = someone(window)
    clerk.open("/office/sign-in")
    clerk.write(Email_address=ADMIN, Password=PASSWORD)
    clerk.press("Sign in")
    clerk.see("Signed in as admin")
    for path, words in (
        ("/office/settings", "Who changed what"),
        ("/office/settings/change?section=reminders", "Reminders before and after the due date"),
        ("/office/settings/change?section=other_payments", "Other payments: permits"),
        ("/office/communications/messages", "Messages of the pages"),
        ("/office/payments/schedule", "Schedule autopay"),
        (f"/office/payments/schedule/{RUN}", "This schedule is late."),
        (f"/office/close/{RUN}/pages", "Page 2 of bills.pdf"),
        ("/office/communications/write", "Write to many"),
    ):
        clerk.open(path)
        clerk.see(words)
        clerk.look()
    clerk.write(Subject="No water", Text="Dear customer, water is off on Friday.")
    clerk.page.get_by_label("To", exact=True).select_option("customers")
    clerk.press("Look and count")
    clerk.see("As its first reader gets it")
    clerk.look()
    clerk.write(Type_the_number_of_mailboxes_to_send_it="77")
    clerk.press("Send it")
    clerk.see("nothing was sent.")
    clerk.look()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_menu_is_folded_on_a_phone_and_opened_by_key(someone, admin, scripts):
    """The page comes first: at a desk the menu is one line, on a phone one button."""
    clerk = someone(PHONE, java_script_enabled=scripts)
    clerk.open("/office/sign-in")
    clerk.write(Email_address=ADMIN, Password=PASSWORD)
    clerk.press("Sign in")
    menu = clerk.page.get_by_role("navigation", name="Office")
    deposits = menu.get_by_role("link", name="Deposits", exact=True)

    folded = menu.bounding_box()["height"]
    assert folded <= 60 and not deposits.is_visible()
    clerk.look()
    menu.get_by_text("Menu", exact=True).focus()
    clerk.page.keyboard.press("Enter")
    assert deposits.is_visible()
    clerk.look()
    clerk.page.keyboard.press("Tab")
    assert "Close" == clerk.page.evaluate("document.activeElement.textContent")
    deposits.click()
    clerk.see("Posted at")
    assert not deposits.is_visible()


def test_the_menu_is_a_line_of_links_at_a_desk(someone, admin):
    clerk = someone(DESKTOP)
    clerk.open("/office/sign-in")
    clerk.write(Email_address=ADMIN, Password=PASSWORD)
    clerk.press("Sign in")
    menu = clerk.page.get_by_role("navigation", name="Office")

    assert menu.get_by_role("link", name="Deposits", exact=True).is_visible()
    assert not menu.get_by_text("Menu", exact=True).is_visible()
    assert menu.bounding_box()["height"] <= 60


def test_who_was_found_and_what_they_did_is_read_on_a_phone_without_scrolling_aside(
    someone, known, admin
):
    known("ann@portal.example", MINE)
    csr = someone(PHONE)
    csr.open("/office/sign-in")
    csr.write(Email_address=ADMIN, Password=PASSWORD)
    csr.press("Sign in")
    csr.open("/csr?q=ann@portal.example")
    box = csr.page.get_by_role("link", name="View", exact=True).bounding_box()
    csr.look()
    csr.follow("View")
    csr.press("Lock account")
    csr.page.get_by_label("The account may have been compromised").check()
    csr.press("Yes, lock account")
    csr.follow("Activity log")
    hidden = csr.page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth - one.clientWidth)"
    )
    csr.look()

    assert box["x"] + box["width"] <= PHONE["width"]
    assert [0] == hidden
