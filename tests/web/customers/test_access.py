"""Getting in: registering, verifying, signing in and out, as a customer does it."""

from __future__ import annotations

from email import message_from_bytes, policy
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, web_session, web_user
from database.tables import delivery
from identity.passwords import Passwords
from office.procedures.mailing.portal_mail import send_portal_mails
from tests.web.customers.conftest import ANN, BOB, PASSWORD, URL, Browser, newest_link, register


def count(office, table) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(table))


def fields(**changes: str) -> dict[str, str]:
    return {"email": ANN, "password": PASSWORD, "again": PASSWORD, "phone": ""} | changes


def test_a_new_customer_registers_verifies_signs_in_links_and_sees_what_is_owed(
    office, browser
):  # rules 139 and 179
    sent = browser.send("/register", **fields())
    token = newest_link(office)
    shown = browser.get(f"/verify/{token}")
    verified = browser.post(f"/verify/{token}")
    signed_in = browser.sign_in()
    empty = browser.get("/")
    browser.get("/link")
    linked = browser.post("/link", number="01-1037-1", proof="beltran")
    home = browser.get("/")

    assert (303, "/check-your-mail") == (sent.status_code, sent.headers["location"])
    assert "Verify my email" in shown.text
    assert "/sign-in?done=verified" == verified.headers["location"]
    assert "/" == signed_in.headers["location"]
    assert "No account is linked" in empty.text
    assert "/?done=linked&account=0110371" == linked.headers["location"]
    assert "101 Canyon St" in home.text and "$45.50" in home.text
    assert "Due on November 20, 2026" in home.text


def test_the_mails_of_it_stand_in_the_outbox(office, browser):
    browser.send("/register", **fields())

    with office.database.reading() as books:
        row = books.execute(sa.select(delivery)).one()
    assert ("access", "access-verify", ANN) == (row.kind.value, row.form, row.address)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "no address"}, "name@example.com"),
        ({"email": ""}, "name@example.com"),
        ({"password": "short", "again": "short"}, "12 characters"),
        ({"again": "another phrase entirely"}, "not the same"),
        ({"phone": "123"}, "area code"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_beside_the_field(office, browser, changes, sentence):
    answer = browser.send("/register", **fields(**changes))

    assert 422 == answer.status_code
    assert sentence in answer.text and 'role="alert"' in answer.text
    assert PASSWORD not in answer.text
    assert 0 == count(office, web_user)


def test_a_known_address_is_answered_like_a_new_one(office, browser):
    register(office)

    known, new = (
        browser.send("/register", **fields()),
        browser.send("/register", **fields(email="new@x.example")),
    )

    assert (known.status_code, known.headers["location"]) == (
        new.status_code,
        new.headers["location"],
    )


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_opens_a_link_uses_nothing_up(office, browser, method):
    browser.send("/register", **fields())
    token = newest_link(office)

    for _ in range(3):
        getattr(browser, method)(f"/verify/{token}")

    assert "/sign-in?done=verified" == browser.post(f"/verify/{token}").headers["location"]
    again = browser.post(f"/verify/{token}"), browser.get(f"/verify/{token}")  # rule 145
    assert ["/sign-in"] * 2 == [answer.headers["location"] for answer in again]


@pytest.mark.parametrize("path", ["/", "/link", "/bills", "/usage", "/news",
                                  "/accounts/0110371/bill"])  # fmt: skip
def test_who_is_not_signed_in_is_led_to_the_door_and_back(browser, path):
    answer = browser.get(path)

    assert (303, f"/sign-in?next={path}") == (answer.status_code, answer.headers["location"])


@pytest.mark.parametrize(
    "next_path",
    [
        *("//evil.example", "///evil.example", "https://evil.example", "HTTPS://evil.example"),
        *("http:evil.example", "https:/evil.example", "/\\evil.example", "\\\\evil.example"),
        *("/\\/evil.example", "//evil.example/%2f..", "javascript:alert(1)", "data:text/html,x"),
        *("evil.example", "", " //evil.example", "\t//evil.example", "/\t/evil.example"),
        *("/\n/evil.example", "//user@evil.example", "/?next=//evil.example", "/.evil@x/../\\x"),
        *("%2f%2fevil.example", "//xn--evil-.example", "\u2044\u2044evil.example"),
    ],
)
def test_a_sign_in_leads_to_no_other_site(office, browser, next_path):
    register(office)

    answer = browser.send("/sign-in", email=ANN, password=PASSWORD, next=next_path)

    led = urljoin(URL, answer.headers["location"])
    assert (URL, True) == (led[: len(URL)], answer.headers["location"][:2].strip("/\\") == "")


def test_a_host_that_somebody_claims_stands_in_no_mail(office, browser):
    browser.send(
        "/register", {"host": "evil.example", "x-forwarded-host": "evil.example"},
        email="new@portal.example", password=PASSWORD, again=PASSWORD,
    )  # fmt: skip
    send_portal_mails(office)

    (mail,) = (office.home / "mail").glob("access-*.eml")
    text = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
    assert (True, False) == (f"{URL}/verify/" in str(text), "evil.example" in str(text))


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(office, app, browser):
    register(office)
    asked = []
    app.state.passwords = Passwords(_hasher=Counting(app.state.passwords._hasher, asked))
    browser.sign_in(ANN, "wrong password 1")
    browser.sign_in("nobody@portal.example", "wrong password 1")
    browser.sign_in("nobody@portal.example", "wrong password 1")

    assert ["verify", "verify", "hash", "verify"] == asked  # the decoy is made once


class Counting:
    """A hasher that remembers what it was asked."""

    def __init__(self, hasher, asked):
        self._hasher, self._asked = hasher, asked

    def __getattr__(self, name):
        self._asked.append(name)
        return getattr(self._hasher, name)


def test_wrong_unknown_and_locked_get_the_same_sentence(office, browser):
    register(office)
    register(office, BOB)
    with office.database.writing() as books:
        books.execute(web_user.update().where(web_user.c.mailbox == BOB).values(failures=10))

    answers = [
        browser.sign_in(ANN, "a wrong pass phrase"),
        browser.sign_in("nobody@x.example"),
        browser.sign_in(BOB),
    ]

    pages = {answer.text.replace(ANN, "").replace(BOB, "").replace("nobody@x.example", "")
             for answer in answers}  # fmt: skip
    assert [422] * 3 == [answer.status_code for answer in answers]
    assert 1 == len(pages)


def test_a_cookie_of_before_the_sign_in_is_worth_nothing_after_it(office, app):
    register(office)
    first, second = Browser(app), Browser(app)
    first.sign_in()
    second.cookies.update(first.cookies)

    second.sign_in()

    assert 303 == first.get("/").status_code
    assert 200 == second.get("/").status_code


def test_signing_out_ends_the_session_in_the_books(office, browser):
    register(office)
    browser.sign_in()
    kept = dict(browser.cookies)
    browser.get("/")

    browser.post("/sign-out")
    browser.cookies.update(kept)

    assert 303 == browser.get("/").status_code
    with office.database.reading() as books:
        assert books.scalar(sa.select(web_session.c.ended_at)) is not None


@pytest.mark.parametrize("came_back", [True, False])
def test_a_page_of_an_earlier_sign_in_still_signs_out(office, browser, came_back):
    """Two tabs: signed out in one, and in again; the other must not leave the session open."""
    register(office)
    browser.sign_in()
    browser.get("/account")
    earlier = browser.token
    browser.post("/sign-out")
    if came_back:
        browser.sign_in()
    kept = dict(browser.cookies)

    out = browser.send("/sign-out", csrf=earlier)
    browser.cookies.update(kept)

    assert (303, "/sign-in?done=out") == (out.status_code, out.headers["location"])
    assert 303 == browser.get("/").status_code
    assert 303 == browser.get("/sign-out").status_code  # typed, or led back to: no dead end


def test_another_sites_form_signs_nobody_out(office, browser):
    register(office)
    browser.sign_in()

    answer = browser.send("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})

    assert (403, 200) == (answer.status_code, browser.get("/").status_code)


def test_the_cookie_is_bound_to_the_host_to_tls_and_to_pages(office, browser):
    register(office)

    cookie = browser.sign_in().headers["set-cookie"]

    assert cookie.startswith("__Host-portal=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


def test_a_form_without_its_token_changes_nothing(office, browser):
    register(office)
    browser.sign_in()

    forms = ({}, {"csrf": "another"})
    answers = [
        browser.send("/link", number="01.1037.1", proof="Beltran", **token) for token in forms
    ]

    assert [403, 403] == [one.status_code for one in answers]
    assert all("Nothing was done" in one.text and 'href="/"' in one.text for one in answers)
    assert 0 == count(office, account_link)


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
     {"origin": "https://evil.example"}, {"origin": "null"}],
)  # fmt: skip
def test_another_sites_form_is_refused(office, browser, headers):
    register(office)

    answer = browser.send("/sign-in", headers, email=ANN, password=PASSWORD)

    assert 403 == answer.status_code
    assert 0 == count(office, web_session)


def test_every_page_forbids_what_it_does_not_need_and_is_kept_nowhere(browser):
    headers = browser.get("/sign-in").headers

    assert "no-store" == headers["cache-control"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "max-age=31536000" == headers["strict-transport-security"]  # as it is reached by TLS


def test_whoever_enters_wrong_passwords_is_told_how_long_to_wait(office, browser):
    register(office)
    for _ in range(3):
        wrong = browser.sign_in(password="a wrong phrase of hers")

    answer = browser.sign_in()

    assert 422 == wrong.status_code
    assert (429, "5") == (answer.status_code, answer.headers["retry-after"])
    assert "Wait 5 seconds, then try again." in answer.text
