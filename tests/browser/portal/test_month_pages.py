"""The month on the office's pages, held to the law at a desk and on a phone."""

from __future__ import annotations

import pytest

from domain.identity import Role
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.settings.close import WebSettings
from tests.browser.portal.conftest import DESKTOP, PHONE
from tests.builders import NOW
from tests.web.customers.conftest import PASSWORD

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


@pytest.fixture(params=list(WINDOWS))
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
