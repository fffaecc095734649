"""The words of mails and the times of reminders, changed at a browser by the people who may."""

from __future__ import annotations

import tomllib

import pytest
import sqlalchemy as sa

from database.tables import audit
from domain.identity import Role
from mail.letters.bill import a_sample, variables
from office.settings.close import WebSettings
from tests.browser.portal.conftest import WINDOWS

EDIT = "/office/communications/templates/edit?name=utility-bill"


@pytest.fixture
def office_settings():
    return {"web": WebSettings(staff_totp=False)}


@pytest.fixture
def settings_file(portal):
    """The settings as a file of the home, which is what staff change."""
    file = portal.office.home / "billclose.toml"
    file.write_text(
        f'# Our office.\n[web]\nurl = "{portal.url}"\nstaff_totp = false\n\n'
        f'[database]\nurl = "{portal.office.database.url}"\n\n[reminders]\ntime = "06:00"\n',
        encoding="utf-8",
    )
    return file


def preview(who) -> str:
    """Return what the frame beside the editor shows."""
    frame = who.page.frame_locator("iframe.preview")
    frame.locator("body").wait_for()
    return frame.locator("body").inner_text()


def told(portal, action: str) -> list[str]:
    query = sa.select(audit.c.who).where(audit.c.action == action)
    with portal.office.database.reading() as books:
        return list(books.scalars(query))


@pytest.mark.release  # test_templates writes and previews by the same form, without a browser
@WINDOWS
def test_a_supervisor_writes_the_mail_of_one_form_and_looks_at_it_first(
    portal, settings_file, staff, window
):  # rules 14-18
    who, size = staff(Role.SUPERVISOR, window), window["width"]
    who.open("/office/communications/templates")
    who.see("each form of bill and each kind of mail has a template of its own")
    who.look(f"templates-{size}")
    who.open(EDIT)
    who.see("You are editing: The mail with each bill of the form utility-bill")
    who.look(f"template-{size}")
    before = preview(who)
    assert "{{" not in before and "Alder" not in before

    who.page.locator("textarea#txt").fill('{% extends "_layout.txt" %}\n{% block message %}Dear ')
    who.page.locator("textarea#txt").press("Control+End")
    insert = who.page.get_by_role("button", name="Insert customer_name", exact=True)
    assert insert.is_visible()
    insert.click()
    who.page.keyboard.type(", your bill of ")
    who.page.get_by_role("button", name="Insert period", exact=True).click()
    who.page.keyboard.type(" is here.{% endblock %}")
    typed = who.page.locator("textarea#txt").input_value()
    assert "Dear {{ customer_name }}, your bill of {{ period }} is here." in typed

    who.press("Preview as text")
    who.page.frame_locator("iframe.preview").get_by_text("is here.").wait_for()
    facts = variables(a_sample())
    assert f"Dear {facts['customer_name']}, your bill of {facts['period']} is" in preview(who)
    assert [] == told(portal, "change template")  # a look keeps nothing
    assert typed == who.page.locator("textarea#txt").input_value()
    who.look(f"template-preview-{size}")

    who.page.locator("textarea#txt").fill("Dear {{ costumer_name }}")
    who.press("Save")
    who.see("There is no variable costumer_name (did you mean")
    who.look(f"template-wrong-{size}")
    who.page.locator("textarea#txt").fill(typed)
    who.press("Save")
    who.see("Mails have your text now.")
    who.look(f"template-saved-{size}")

    text = portal.office.home / "templates" / "utility-bill.txt"
    assert "your bill of {{ period }} is here." in text.read_text("utf-8")
    assert ["supervisor 1"] == told(portal, "change template")
    who.open(EDIT.replace("utility-bill", "final-bill"))
    who.see("Mails have our text now.")  # of the other form nothing has changed


@pytest.mark.release
@WINDOWS
def test_an_admin_sets_when_reminders_leave_and_a_supervisor_only_sees_it(
    portal, settings_file, staff, window
):  # rule 91
    size = window["width"]
    admin, supervisor = staff(Role.ADMIN, window), staff(Role.SUPERVISOR, window)
    admin.open("/office/settings/change?section=reminders")
    admin.see("Reminders before and after the due date")
    admin.look(f"reminders-{size}")
    admin.page.locator("#time").fill("25:00")
    admin.press("Save")
    admin.page.locator("#time-error").wait_for()
    admin.look(f"reminders-wrong-{size}")
    assert "06:00" == tomllib.loads(settings_file.read_text())["reminders"]["time"]
    admin.page.locator("#time").fill("17:30")
    admin.page.locator("#days_before_due").fill("5")
    admin.press("Save")
    admin.see("Who changed what")
    admin.look(f"settings-changed-{size}")

    assert {"time": "17:30", "days_before_due": 5} == tomllib.loads(settings_file.read_text())[
        "reminders"
    ]
    supervisor.open("/office/settings")
    supervisor.page.get_by_text("17:30").first.wait_for(state="attached")
    supervisor.look()
    supervisor.open("/office/settings/change?section=reminders")
    assert 0 == supervisor.page.locator("input#time").count()

    for name in ("reminders.time", "reminders.days_before_due"):
        with admin.page.expect_navigation():
            admin.page.get_by_role("button", name=f"of {name}").last.click()
    kept = tomllib.loads(settings_file.read_text())["reminders"]
    assert ("06:00", 3) == (kept.get("time", "06:00"), kept.get("days_before_due", 3))
    assert {"admin 1"} == set(told(portal, "change setting"))
