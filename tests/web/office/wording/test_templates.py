"""The editor of the templates: found, written, looked at, kept, had again."""

from __future__ import annotations

import html
import re

import pytest

from domain.identity import Role
from office.procedures.wording.kinds import TemplateGroup, template_kinds
from tests.web.office.deciding_builders import who_said

EDIT = "/office/communications/templates/edit"
OURS = '{% extends "_layout.txt" %}\n'


def fields_of(page) -> dict[str, str]:
    """Return what the editor's form would send unchanged."""
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', page.text))
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    return {name: html.unescape(text) for name, text in (*hidden.items(), *areas)}


def write(browser, name: str, language: str = "en", **parts: str):
    """Open a template, write into it and press Save."""
    opened = browser.get(f"{EDIT}?name={name}&in={language}")
    assert 200 == opened.status_code, opened.text
    return browser.send(EDIT, **(fields_of(opened) | parts))


def test_bills_stand_apart_from_the_portals_mails_and_each_says_what_it_belongs_to(signed_in):
    page = signed_in(Role.SUPERVISOR).get("/office/communications/templates").text
    bills, mails = page.split("<h2>Mails of the portal</h2>")

    assert "name=utility-bill" in bills and "name=utility-bill" not in mails
    assert "name=notices%2Fpast-due" in mails and "name=notices" not in bills
    assert "each bill of the form delinquent-notice, and with no other" in bills


def test_the_editor_warns_which_form_is_edited_and_has_the_menu_of_variables(signed_in):
    page = signed_in(Role.SUPERVISOR).get(f"{EDIT}?name=utility-bill").text

    assert "You are editing: The mail with each bill of the form utility-bill" in page
    assert 'data-insert="{{ LatestCommunicationLink }}"' in page


def test_the_offices_text_words_the_next_mail_of_that_form_and_of_no_other(signed_in, desk):
    text = OURS + "{% block message %}Your water bill for {{ period }}.{% endblock %}\n"
    saved = write(signed_in(Role.SUPERVISOR), "utility-bill", txt=text)

    from mail.letters.bill import a_sample

    templates = desk.state.office.templates
    assert 303 == saved.status_code, saved.text
    assert "Your water bill for October 2026." in templates.word(a_sample()).text
    assert "Your water bill" not in templates.word(a_sample("final-bill")).text


def test_lines_stay_lines_however_a_browser_ends_them(signed_in, office):
    text = "First for {{ customer_name }}\nSecond {{ amount_due }} {{ password_hint }}\n"
    write(signed_in(Role.ADMIN), "final-bill", txt=text.replace("\n", "\r\n"))

    assert text == (office.home / "templates/final-bill.txt").read_text()
    assert not (office.home / "templates/final-bill.html").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Dear you\n{{ ammount_due }}", "Line 2: There is no variable ammount_due (did you mean"),
        ("One\nTwo\n{% if is_credit %}", "Line 3: {% if %} is not closed; write {% endif %}"),
        ("{{ amount_due", "Line 1: What begins with {{ or {% does not end"),
        ("{% include 'utility-bill.txt' %}", "It builds on itself."),
        ("{{ cycler() }}", "Line 1: At least one item has to be provided."),
        ("{{ amount_due | shout }}", "Line 1: No filter named"),
        ("{% extends '_other.txt' %}", "There is no template _other.txt to build on."),
        ("One\n{{ period.missing }}", "Line 2: "),
        ("One\n\n{{ 1 / 0 }}", "Line 3: Division by zero."),
        ("  ", "It is empty; to have our text again, press Back to ours."),
        ("{{ ''.__class__.__mro__ }}", "Line 1: Access to attribute '__class__'"),
        ("x" * 100_001, "It is longer than 100,000 characters."),
    ],
)
def test_what_makes_no_mail_is_said_with_its_line_and_not_kept(signed_in, office, text, sentence):
    answer = write(signed_in(Role.SUPERVISOR), "utility-bill", txt=text)

    assert 422 == answer.status_code
    assert sentence in html.unescape(answer.text)
    assert not (office.home / "templates/utility-bill.txt").exists()


def test_what_somebody_has_written_is_still_there_after_a_mistake(signed_in):
    answer = write(signed_in(Role.SUPERVISOR), "utility-bill", txt="All of my words {{ nobody }}")

    assert "All of my words" in fields_of(answer)["txt"]


def test_who_changed_it_and_when_is_kept_and_an_older_text_can_be_had_again(signed_in, office):
    browser = signed_in(Role.SUPERVISOR)
    write(browser, "notices/past-due", subject="Pay {{ open_balance }}, please")
    write(browser, "notices/past-due", subject="You owe {{ open_balance }}")
    page = browser.get(f"{EDIT}?name=notices/past-due").text
    older = html.unescape(re.findall(r'href="([^"]+take=\d+)"', page)[-1])

    again = browser.get(older)

    assert "supervisor 1 – notices/past-due.subject" in page
    assert "Pay {{ open_balance }}, please" == fields_of(again)["subject"]
    assert ["supervisor 1"] * 2 == who_said(office, "changed")


def test_back_to_ours_takes_the_offices_text_away_and_keeps_it_in_the_past(signed_in, office):
    browser = signed_in(Role.SUPERVISOR)
    write(browser, "notices/past-due", subject="You owe {{ open_balance }}")
    browser.get(f"{EDIT}?name=notices/past-due")

    browser.post(f"{EDIT}/ours", name="notices/past-due")
    page = browser.get(f"{EDIT}?name=notices/past-due")

    assert not (office.home / "templates/notices/past-due.subject").exists()
    assert "You owe" not in fields_of(page)["subject"]
    assert "You owe {{ open_balance }}" in page.text
    assert ["supervisor 1"] == who_said(office, "back to ours")


def test_a_text_that_was_put_there_by_hand_is_in_the_past_too(signed_in, office):
    (office.home / "templates").mkdir()
    (office.home / "templates/utility-bill.subject").write_text("By hand: {{ period }}")
    browser = signed_in(Role.SUPERVISOR)

    write(browser, "utility-bill", subject="By Sue: {{ period }}")
    page = browser.get(f"{EDIT}?name=utility-bill").text

    assert "By hand: {{ period }}" in page
    assert "outside these pages – utility-bill.subject" in page


def test_two_who_write_at_once_do_not_lose_each_others_words(signed_in, office):
    first, second = signed_in(Role.SUPERVISOR), signed_in(Role.ADMIN)
    opened = first.get(f"{EDIT}?name=utility-bill"), second.get(f"{EDIT}?name=utility-bill")

    first.send(EDIT, **(fields_of(opened[0]) | {"subject": "First {{ period }}"}))
    refused = second.send(EDIT, **(fields_of(opened[1]) | {"subject": "Second {{ period }}"}))

    assert 422 == refused.status_code and "Somebody else has changed this text" in refused.text
    assert "First {{ period }}" == (office.home / "templates/utility-bill.subject").read_text()


def test_the_spanish_text_is_one_of_its_own(signed_in, office, desk):
    from dataclasses import replace

    from mail.letters.bill import a_sample

    write(signed_in(Role.SUPERVISOR), "utility-bill", "es", subject="Su factura de {{ period }}")

    templates = desk.state.office.templates
    spanish = templates.word(replace(a_sample(), language="es"))
    assert "Su factura de octubre de 2026" == spanish.subject
    assert "Su factura" not in templates.word(a_sample()).subject
    assert (office.home / "templates/utility-bill-es.subject").exists()


def test_the_preview_shows_what_is_being_written_in_a_page_that_runs_nothing(signed_in, office):
    browser = signed_in(Role.SUPERVISOR)
    fields = fields_of(browser.get(f"{EDIT}?name=utility-bill"))
    hostile = "<body><script>alert(1)</script>Hello {{ customer_name }} {{ password_hint }}</body>"

    look = browser.send(
        "/office/communications/templates/preview", **(fields | {"html": hostile, "look": "html"})
    )

    assert "Hello Ann O&#39;Neil &amp; Søn" in look.text
    assert look.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "SAMEORIGIN" == look.headers["x-frame-options"]
    assert not (office.home / "templates").exists()


def test_the_page_around_the_preview_lets_only_our_own_pages_into_its_frame(signed_in):
    answer = signed_in(Role.SUPERVISOR).get(f"{EDIT}?name=utility-bill")

    assert "frame-src 'self'" in answer.headers["content-security-policy"]
    assert re.search(r"<iframe[^>]* sandbox src=", answer.text)


@pytest.mark.parametrize(
    "name", ["../billclose", "_layout", "notices/../_frame", "", "/etc/passwd"]
)
def test_no_name_reaches_another_file(signed_in, name):
    browser = signed_in(Role.SUPERVISOR)

    assert 404 == browser.get(f"{EDIT}?name={name}").status_code
    browser.get("/office")
    assert 404 == browser.post(EDIT, name=name, txt="x").status_code


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR])
def test_whoever_may_only_read_the_texts_gets_no_button(signed_in, role):
    page = signed_in(role).get(f"{EDIT}?name=utility-bill").text

    assert 3 == page.count("readonly")
    assert "Save</button>" not in page and "Insert</button>" not in page


def test_each_mail_that_we_word_says_what_it_is_for(office):
    """Rule 15: none is called a further mail of another kind."""
    vague = [
        kind.name
        for kind in template_kinds(office)
        if kind.group is TemplateGroup.MAILS
        and kind.belongs_to.startswith(("A further mail", f"The mail {kind.form}."))
    ]

    assert [] == vague
