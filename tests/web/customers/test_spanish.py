"""The portal in Spanish, as a customer chooses it."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header

import pytest
from jinja2.compiler import CodeGenerator

from identity.users import find_by_mailbox, keep_language
from office.procedures.mailing.portal_mail import send_portal_mails
from tests.web.customers.conftest import ANN, BOB, Browser, register
from web.layout import PagesInLanguage, templates

MINE = "0110371"


@pytest.fixture
def ann(office, app):
    register(office, ANN, accounts=(MINE,))
    browser = Browser(app)
    browser.sign_in(ANN)
    return browser


def test_a_browser_that_asks_for_spanish_gets_it(browser):
    page = browser.get("/sign-in", headers={"Accept-Language": "es-MX,es;q=0.9"}).text

    assert '<html lang="es">' in page and "Iniciar sesión" in page


def test_a_language_that_we_do_not_speak_is_answered_in_english(browser):
    assert '<html lang="en">' in browser.get("/sign-in", headers={"Accept-Language": "fr"}).text


def test_a_language_is_chosen_on_the_page_and_leads_back_to_it(browser):
    answer = browser.send("/language", language="es", back="/forgot")

    assert "/forgot" == answer.headers["location"]
    assert "Establecer una contraseña nueva" in browser.get("/forgot").text


def test_a_language_is_kept_with_the_customer_wherever_they_sign_in_next(ann, app):
    ann.send("/language", language="es", back="/")
    elsewhere = Browser(app)
    elsewhere.sign_in(ANN)

    page = elsewhere.get("/").text

    assert "Saldo a pagar" in page and "de noviembre de 2026" in page and "$45.50" in page


def test_whoever_registers_in_spanish_stays_with_it(browser, office):
    browser.send("/language", language="es", back="/")
    browser.send(
        "/register", email="eva@portal.example", password="correct horse battery",
        again="correct horse battery",
    )  # fmt: skip

    with office.database.reading() as books:
        assert "es" == find_by_mailbox(books, "eva@portal.example").language


@pytest.mark.parametrize("language", ["xx", "", "../es"])
def test_no_other_language_is_taken(ann, language):
    answer = ann.send("/language", language=language, back="/")

    assert "language" not in answer.cookies


@pytest.mark.parametrize(
    "path",
    ["/", "/bills", "/usage", "/news", "/link", "/wallet", "/account",
     f"/accounts/{MINE}/autopay", f"/accounts/{MINE}/paperless", f"/accounts/{MINE}/pay"],
)  # fmt: skip
def test_every_page_says_that_it_is_spanish(ann, path):
    ann.send("/language", language="es", back="/")

    page = ann.get(path)

    assert (200, True) == (page.status_code, '<html lang="es">' in page.text)


@pytest.fixture
def looking_up(monkeypatch):
    """Let templates look each sentence up when a page is written."""

    def begin():
        monkeypatch.setattr(PagesInLanguage, "code_generator_class", CodeGenerator)
        templates.cache_clear()

    yield begin
    monkeypatch.undo()
    templates.cache_clear()


@pytest.mark.parametrize("language", ["en", "es"])
def test_sentences_that_templates_hold_are_those_that_would_be_looked_up(ann, looking_up, language):
    paths = ["/", "/bills", "/usage", "/wallet", "/account", f"/accounts/{MINE}/autopay"]
    ann.send("/language", language=language, back="/")
    held = [ann.get(path).text for path in paths]
    looking_up()

    assert held == [ann.get(path).text for path in paths]
    assert f'<html lang="{language}">' in held[0]


def test_a_problem_is_said_in_spanish_too(browser):
    browser.send("/language", language="es", back="/")

    page = browser.send("/register", email="no", password="short", again="short").text

    assert "Su contraseña debe tener 12 caracteres o más." in page
    assert "Ingrese una dirección de correo electrónico" in page


def test_a_mailed_link_that_leads_nowhere_says_so_in_spanish(browser):
    answer = browser.get("/exports/none", headers={"Accept-Language": "es"})

    assert (404, True) == (answer.status_code, "Aquí no hay nada" in answer.text)


def test_a_mail_is_in_the_language_of_whoever_gets_it(office, browser):
    ann, _bob = register(office, ANN), register(office, BOB)
    with office.database.writing() as books:
        keep_language(books, ann, "es")
    for address in (ANN, BOB):
        browser.send("/forgot", email=address)

    send_portal_mails(office)

    mails = [message_from_bytes(path.read_bytes()) for path in office.home.rglob("*.eml")]
    subjects = {mail["To"]: str(make_header(decode_header(mail["Subject"]))) for mail in mails}
    assert {ANN: "Establecer una contraseña nueva", BOB: "Set a new password"} == subjects
