"""Staff as they are: the supervisor who writes and links, the admin, the auditor who looks on."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from database.tables import audit
from domain.identity import LinkProof, Role, UserState
from identity.account_links import add_link
from identity.users import make_user
from mail.letters.samples import sample_pdf
from mail.texts.consents import agree
from office.settings.close import WebSettings
from tests.browser.portal.conftest import MINE, WINDOWS
from tests.builders import NOW, RUN
from web.office.permissions import may
from web.staff_routes import staff_pages

# What the auditor's pages may send: a filter (GET), whoever is signed in goes away, and the pack
# of an auditor is taken, which is audited.
HARMLESS = (
    "form[method=post]:not([action='/office/sign-out']):not([action*='language'])"
    ":not([action='/office/audit/pack'])"
)


@pytest.fixture
def office_settings():
    return {"web": WebSettings(staff_totp=False)}


@pytest.fixture
def people(portal) -> None:
    """Lara is a landlord and Ann has agreed to texts with news in them."""
    with portal.office.database.writing() as books:
        make_user(books, "lou@portal.example", NOW, UserState.ACTIVE)
        ann = make_user(books, "ann@portal.example", NOW, UserState.ACTIVE, phone="4355550101")
        add_link(books, ann, MINE, LinkProof.NAME, NOW, "the customer")
        agree(books, ann, "+14355550101", "I agree.", NOW, news=True)


@pytest.mark.release  # test_landlords links and ends by the same forms, without a browser
@WINDOWS
def test_a_supervisor_links_a_landlord_and_ends_it(staff, people, window):  # rule 133
    who, size = staff(Role.SUPERVISOR, window), window["width"]
    who.open("/office/landlords")
    who.follow("Link a landlord")
    who.look(f"landlord-link-{size}")
    who.write(**{"Landlord's number in the billing system": "L1"})
    who.page.get_by_label("E-mail address of the portal").fill("nobody@portal.example")
    who.write(Reason="owns both houses")
    who.press("Link")
    who.see("Nobody is registered in the portal by that address")
    who.look(f"landlord-refused-{size}")
    who.page.get_by_label("E-mail address of the portal").fill("lou@portal.example")
    who.press("Link")
    who.see("The portal user is linked to the landlord's accounts.")
    who.look(f"landlords-{size}")
    who.open("/office/landlords/accounts?portal_user=lou")
    who.see("2 rows")
    who.look(f"landlord-accounts-{size}")
    who.open("/office/landlords?portal_user=lou")
    who.follow("End")
    who.see("gets no bill of theirs by mail")
    who.look(f"landlord-end-{size}")
    who.write(Reason="sold them")
    who.press("End the link")
    who.see("The link is ended.")


@pytest.mark.release  # test_texting and test_attaching write to many by the same forms
@WINDOWS
def test_a_supervisor_tells_many_by_text_and_by_mail(staff, people, window):  # rules 110, 111
    who, size = staff(Role.SUPERVISOR, window), window["width"]
    who.open("/office/communications/texts")
    who.follow("Text many")
    who.write(Text="Water is off on Friday, 9 to 12.")
    who.page.get_by_label("The same in Spanish").fill("El viernes no hay agua, de 9 a 12.")
    who.page.get_by_label("To", exact=True).select_option("customers")
    who.look(f"text-many-{size}")
    who.press("Look and count")
    who.see("As phones show it")
    who.look(f"text-many-looked-{size}")
    who.write(Type_the_number_of_phones_to_send_it="7")
    who.press("Send it")
    who.see("nothing was sent.")
    who.look(f"text-many-refused-{size}")
    who.write(Type_the_number_of_phones_to_send_it="1")
    who.press("Send it")
    who.see("The text is recorded for every phone")
    who.look(f"texts-to-many-{size}")
    who.open("/office/communications/write")
    who.write(Subject="New rates", Text="Dear customer, read the rates.")
    who.page.get_by_label("To", exact=True).select_option("customers")
    file = {"name": "rates.pdf", "mimeType": "application/pdf", "buffer": sample_pdf()}
    who.page.get_by_label("PDF that goes along").set_input_files(file)
    who.press("Look and count")
    who.see("rates.pdf goes along")
    who.look(f"mail-with-pdf-{size}")


@pytest.mark.release  # test_pictures sends them by the same form, without a browser
@WINDOWS
def test_an_admin_shows_the_offices_logo(staff, window):  # rule 201
    who, size = staff(Role.ADMIN, window), window["width"]
    content = io.BytesIO()
    Image.new("RGB", (640, 200), "#2a7").save(content, "PNG")
    who.open("/office/settings/theme")
    who.look(f"theme-{size}")
    field = who.page.get_by_label("Logo: a PNG")
    field.set_input_files({"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"})
    who.press("Use this logo")
    who.see("is no PNG, JPEG or WebP that can be read.")
    who.look(f"theme-refused-{size}")
    field = who.page.get_by_label("Logo: a PNG")
    field.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": content.getvalue()})
    who.press("Use this logo")
    who.see("The picture shows on the pages from now on.")
    who.look(f"theme-logo-{size}")
    assert 48 >= who.page.locator("a.brand img").bounding_box()["height"]


# One page after another, which other roles' walks have as well; that nothing can be pressed on any,
# test_permissions shows in every run.
@pytest.mark.release
@WINDOWS
def test_an_auditor_opens_their_pages_and_finds_nothing_to_press(staff, people, window):
    who = staff(Role.AUDITOR, window)
    books = who.portal.office.database
    paths = sorted(
        path
        for method, path, _page, needed in staff_pages()
        if method == "GET"
        and may(Role.AUDITOR, needed)
        and "{" not in path
        and not path.endswith(".xlsx")
    )
    paths += [f"/office/customers/{MINE}", f"/office/close/{RUN}"]
    paths += ["/office/communications/templates/edit?name=utility-bill"]
    paths += ["/office/runbook/run-failed", "/office/runbook/disk-nearly-full"]
    who.page.wait_for_load_state()
    with books.reading() as opened:
        before = len(opened.execute(audit.select()).all())

    pressed = []
    for path in paths:
        who.open(path)
        pressed += [path] * who.page.locator(HARMLESS).count()
        who.look()

    with books.reading() as opened:
        after = len(opened.execute(audit.select()).all())
    assert ([], True, before) == (pressed, len(paths) > 20, after)
