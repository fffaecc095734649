"""The month on the office's pages, held to the law at a desk and on a phone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from database.definitions.desk import desk_work
from database.owners import this_process
from database.tables import settlement
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from domain.money import ZERO, Money
from domain.steps import Step
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.procedures.closing.close_figures import sheet_figures
from office.settings.close import WebSettings
from tests.browser.portal.conftest import DESKTOP, PHONE
from tests.builders import NOW, RUN
from tests.payments.bank.bank_files import DAY, TWO
from tests.web.customers.conftest import PASSWORD
from web.guarding import BANK
from web.office.begun.steps import written_down

ADMIN = "admin@larkspur.example"
WINDOWS = {"desk": DESKTOP, "phone": PHONE}


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


@pytest.fixture(params=[pytest.param("desk", marks=pytest.mark.release), "phone"])
def clerk(someone, admin, request):
    clerk = someone(WINDOWS[request.param])
    clerk.name = request.param
    clerk.open("/office/sign-in")
    clerk.write(Email_address=ADMIN, Password=PASSWORD)
    clerk.press("Sign in")
    clerk.see("Signed in as admin")
    return clerk


def test_the_first_page_has_the_month_in_one_line_and_its_year(clerk):
    clerk.see("October closed on Nov 2 by anna")
    clerk.see("The periods of 2026")
    clerk.look(f"start-{clerk.name}")


@pytest.fixture
def begun(portal):
    """A close of October that a page has begun, whose first step goes on."""
    office = portal.office
    with office.database.writing() as books:
        books.execute(
            desk_work.insert().values(
                key="abc", kind=WorkKind.CLOSE, period=RUN, bundle="", who="clerk 1",
                state=WorkState.BEGUN, owner=this_process(), began_at=NOW,
            )
        )  # fmt: skip
    with written_down(office.database, "abc") as writer:
        writer.begin(Step.SPLIT)
        yield writer


def test_the_steps_of_a_close_move_in_the_page_and_it_is_shown_anew_at_the_end(
    clerk, begun, portal
):
    clerk.open(f"/office/close/{RUN}")
    clerk.see("The steps of the close")
    begun.move(Step.SPLIT, 40, 100)
    clerk.see("going on, 40 %")
    clerk.look(f"steps-{clerk.name}")
    begun.end(Step.SPLIT, "12 bills of 24 pages")
    begun.begin(Step.CHECK)
    clerk.see("done: 12 bills of 24 pages")
    assert "check bills and balances: going on" == clerk.page.locator("#step-told").text_content()

    begun.end(Step.CHECK, "All checks passed")
    begun.close()
    with portal.office.database.writing() as books:
        books.execute(desk_work.update().values(state=WorkState.DONE, ended_at=NOW))

    clerk.page.get_by_text("is going on, begun by").wait_for(state="detached")
    clerk.page.wait_for_load_state()
    assert 0 == clerk.page.locator("[data-watched]").count()
    clerk.page.get_by_text("The steps of the close").click()
    clerk.see("done: All checks passed")
    clerk.look()


def test_a_rehearsal_shows_its_figures_or_why_it_is_refused(clerk, portal):
    figures = json.dumps(sheet_figures(portal.office, RUN))
    stopped = {"code": "checks-failed", "sentence": "bill-amount stops the close: 01.1002.2"}
    ends = (
        (WorkState.REFUSED, stopped, "The rehearsal is refused"),
        (WorkState.DONE, {}, "Rehearsed: these figures are what a close would bring."),
    )
    for minutes, (state, why, said) in enumerate(ends):
        began = NOW + timedelta(minutes=minutes)
        with portal.office.database.writing() as books:
            books.execute(
                desk_work.insert().values(
                    key=str(minutes), kind=WorkKind.REHEARSAL, period=RUN, bundle="",
                    who="clerk 1", state=state, began_at=began, ended_at=began, figures=figures,
                    **why,
                )
            )  # fmt: skip

        clerk.open(f"/office/close/{RUN}")

        clerk.see(said)
        clerk.look(f"rehearsed-{state}-{clerk.name}")


# Keeps what a page listens to.
OPENED = """window.opened = [];
window.EventSource = class extends EventSource {
    constructor(...at) { super(...at); opened.push(this); }
};"""
SHUT = 2  # EventSource.CLOSED


def test_what_is_sent_as_a_close_ends_is_not_overtaken_by_the_page_shown_anew(clerk, begun):
    clerk.page.add_init_script(OPENED)
    clerk.open(f"/office/close/{RUN}")
    clerk.page.wait_for_function("opened.length === 1")

    clerk.page.evaluate("document.body.dispatchEvent(new Event('submit', { bubbles: true }))")

    assert [SHUT] == clerk.page.evaluate("opened.map(one => one.readyState)")


def test_a_file_that_is_no_export_is_sent_said_and_can_be_sent_again(clerk, tmp_path):
    clerk.open("/office/close")
    clerk.see("At most 2 GB.")
    clerk.look(f"close-{clerk.name}")
    for _ in range(2):  # the second time in the page that came as the answer to the first
        file = tmp_path / "notes.zip"
        file.write_bytes(b"no archive" * 1000)
        clerk.page.get_by_label("Upload a billing export (.zip)").set_input_files(file)
        clerk.press("Upload")
        clerk.see("The file")
        clerk.page.locator(".wrong .error").wait_for()
        clerk.look()


def test_the_banks_file_is_taken_in_and_a_line_of_it_settled(clerk, portal, tmp_path):
    with portal.office.database.writing() as books:
        books.execute(
            settlement.insert().values(
                settlement_id="po_1", gateway="sandbox", pays_out_on=DAY, gross=Money(102_00),
                fees=ZERO, net=Money(102_00), recorded_at=NOW,
            )
        )  # fmt: skip
    clerk.open(BANK)
    clerk.see("No file of the bank was taken in yet.")
    file = tmp_path / "nov.bai"
    file.write_text(TWO)
    clerk.page.get_by_label("Bank file (BAI2 or CSV)").set_input_files(file)
    clerk.press("Take in")
    clerk.see("nov.bai: 2 lines, 2 new.")
    clerk.see("another amount in the bank")
    clerk.look(f"bank-{clerk.name}")
    clerk.page.get_by_label("in the bank, and no payout here").check()
    clerk.write(How_it_was_settled="A grant of the county")
    clerk.press("Settle")
    clerk.see("The line is settled.")
    clerk.look()
