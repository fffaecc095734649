"""Signing in with an account at Google or Apple: issuer and subject, never an address."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from database.definitions.identity import credential, web_user
from database.definitions.oidc import oidc_request, outside_identity
from domain.failures import Misuse
from domain.identity import UserState
from identity.oidc.identities import connect
from identity.oidc.provider import OutsideAccount
from office.equipment.sign_in import apple_secret
from office.settings.close import WebSettings
from office.settings.sign_in import OidcSettings
from tests.builders import NOW
from tests.office.health_builders import an_office_at
from tests.web.customers.choices.conftest import words
from tests.web.customers.conftest import ANN, BOB, PASSWORD, URL, Browser, register
from tests.web.customers.factors.provider import CLIENT, SECRET, a_key, a_provider, new_key
from web.desk import desk_of
from web.office.renewing import require_whole


@pytest.fixture(scope="module")
def running():
    with a_provider() as one:
        yield one


@pytest.fixture
def provider(running):
    running.begin_anew()
    return running


@pytest.fixture
def place(office, provider):
    """The same office, whose customers may sign in with Google."""
    chosen = OidcSettings(
        google_client_id=CLIENT, google_client_secret=SECRET, google_issuer=provider.issuer
    )
    return an_office_at(
        office.home, office.database, "2026-11-03T09:00", web=WebSettings(url=URL), oidc=chosen
    )


@pytest.fixture
def browser(place):
    return Browser(desk_of(place))


def connected(place, provider, address=ANN, subject="subject-of-ann"):
    user = register(place, address)
    with place.database.writing() as books:
        connect(books, user, OutsideAccount("google", provider.issuer, subject, "a"), NOW)
    return user


def go(browser, provider, leads_to="/news"):
    """Press the button, say yes at the provider, and come back."""
    begun = browser.send("/oidc/google", next=leads_to)
    told = provider.agree(begun.headers["location"])
    return browser.get("/oidc/google/callback", params=told)


def is_in(browser):
    return browser.get("/account").status_code == 200


def test_there_is_no_button_and_no_page_until_a_provider_is_set(office):
    browser = Browser(desk_of(office))

    page = browser.get("/sign-in")

    assert "Google" not in page.text and "form-action 'self';" in page.headers[POLICY]
    assert [404] * 3 == [
        browser.send("/oidc/google").status_code,
        browser.get("/oidc/google/callback").status_code,
        browser.send("/oidc/apple/callback").status_code,
    ]


POLICY = "content-security-policy"


def test_the_sign_in_page_lets_its_forms_lead_to_the_provider_and_nowhere_else(browser, provider):
    page = browser.get("/sign-in")

    assert "Sign in with Google" in page.text
    assert f"form-action 'self' {provider.issuer};" in page.headers[POLICY]
    assert "form-action 'self';" in browser.get("/forgot").headers[POLICY]


def test_the_provider_is_asked_with_state_nonce_code_challenge_and_our_own_address(
    browser, provider
):
    begun = browser.send("/oidc/google", next="//evil.example")
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))

    assert begun.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert ("code", "S256", f"{URL}/oidc/google/callback", CLIENT, "openid email") == tuple(
        asked[name]
        for name in ("response_type", "code_challenge_method", "redirect_uri", "client_id", "scope")
    )
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


def test_a_connected_account_lets_its_owner_in_under_a_new_token(browser, place, provider):
    connected(place, provider)

    answer = go(browser, provider)

    assert (303, "/news", True) == (answer.status_code, answer.headers["location"], is_in(browser))


def test_the_same_address_elsewhere_opens_nothing(browser, place, provider):
    register(place, ANN)
    provider.email, provider.claims = ANN, {"email_verified": True}

    answer = go(browser, provider)

    assert "opens nothing here yet" in words(answer)
    assert not is_in(browser)


def test_another_subject_or_issuer_with_the_same_address_opens_nothing(browser, place, provider):
    user = register(place, ANN)
    with place.database.writing() as books:
        known = OutsideAccount("google", "https://other.example", "subject-of-ann")
        connect(books, user, known, NOW)

    go(browser, provider)

    assert not is_in(browser)


def test_an_unknown_account_is_connected_once_its_owner_has_signed_in_and_presses(
    browser, place, provider
):
    register(place, ANN)
    page = go(browser, provider)
    assert 'href="/sign-in?next=/oidc/connect"' in page.text
    led = browser.send("/sign-in", email=ANN, password=PASSWORD, next="/oidc/connect")
    browser.get(led.headers["location"])

    done = browser.post("/oidc/connect")
    browser.cookies.clear()
    again = go(browser, provider)

    assert "/account/sign-in-with?done=connected" == done.headers["location"]
    assert ("/news", True) == (again.headers["location"], is_in(browser))


def test_what_another_browser_has_proved_is_not_connected(browser, place, provider):
    register(place, ANN)
    go(Browser(browser.app), provider)
    browser.sign_in(ANN)
    browser.get("/account")

    answers = browser.get("/oidc/connect"), browser.post("/oidc/connect")

    assert ["/account/sign-in-with"] * 2 == [one.headers["location"] for one in answers]
    assert [] == rows(place, outside_identity)


def rows(place, table):
    with place.database.reading() as books:
        return books.execute(sa.select(table)).all()


def test_connecting_from_the_account_page_asks_for_the_password_first(browser, place, provider):
    register(place, ANN)
    browser.sign_in(ANN)
    browser.get("/account/sign-in-with")
    wrong = browser.post("/account/sign-in-with/begin", provider="google", current="wrong")
    begun = browser.post("/account/sign-in-with/begin", provider="google", current=PASSWORD)

    done = browser.get("/oidc/google/callback", params=provider.agree(begun.headers["location"]))

    assert (422, "/account/sign-in-with?done=connected") == (
        wrong.status_code,
        done.headers["location"],
    )
    assert ["subject-of-ann"] == [row.subject for row in rows(place, outside_identity)]
    assert "ann@elsewhere.example" in words(browser.get("/account/sign-in-with"))


def test_an_account_of_another_customer_is_not_taken_over(browser, place, provider):
    connected(place, provider, BOB)
    register(place, ANN)
    browser.sign_in(ANN)
    browser.get("/account/sign-in-with")
    begun = browser.post("/account/sign-in-with/begin", provider="google", current=PASSWORD)

    answer = browser.get("/oidc/google/callback", params=provider.agree(begun.headers["location"]))

    assert (422, True) == (answer.status_code, "connected to another customer" in words(answer))


@pytest.mark.parametrize("state", [UserState.LOCKED, UserState.UNVERIFIED, UserState.DELETED])
def test_whoever_may_not_sign_in_does_not_this_way_either(browser, place, provider, state):
    connected(place, provider)
    with place.database.writing() as books:
        books.execute(web_user.update().values(state=state))

    go(browser, provider)

    assert not is_in(browser)


def test_the_second_step_is_asked_for_here_too(browser, place, provider):
    user = connected(place, provider)
    with place.database.writing() as books:
        books.execute(
            credential.insert().values(
                user_number=user, kind="totp", secret="x", used_step=0, since=NOW
            )
        )

    answer = go(browser, provider)

    assert "/sign-in/code?next=/news" == answer.headers["location"]
    assert not is_in(browser)


@pytest.mark.parametrize("wrong", ["state", "twice", "another browser", "no cookie", "late"])
def test_an_answer_counts_once_and_in_the_browser_that_asked(browser, place, provider, wrong):
    connected(place, provider)
    begun = browser.send("/oidc/google")
    told = provider.agree(begun.headers["location"])
    asking = browser
    if wrong == "state":
        told["state"] = "x" * 43
    elif wrong == "twice":
        browser.get("/oidc/google/callback", params=told)
        told |= {"code": provider.agree(begun.headers["location"])["code"]}
        browser.cookies.delete("__Host-portal")
    elif wrong == "another browser":
        asking = Browser(browser.app)
        asking.send("/oidc/google")
    elif wrong == "no cookie":
        asking = Browser(browser.app)
    else:
        with place.database.writing() as books:
            books.execute(oidc_request.update().values(expires_at=NOW))

    answer = asking.get("/oidc/google/callback", params=told)

    assert (410, True, False) == (
        answer.status_code,
        "is over or was used already" in words(answer),
        is_in(asking),
    )


FAR = 2_000_000_000


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": FAR * 2, "exp": FAR * 3},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
)
def test_a_token_that_is_not_for_us_now_lets_nobody_in(browser, place, provider, claims):
    connected(place, provider)
    provider.claims = claims

    answer = go(browser, provider)

    assert (422, True, False) == (
        answer.status_code,
        "could not be checked, so nobody was let in" in words(answer),
        is_in(browser),
    )


def test_a_token_signed_by_another_key_lets_nobody_in(browser, place, provider):
    connected(place, provider)
    provider.signs_with = new_key("first")  # the same name, another key

    answer = go(browser, provider)

    assert (422, False) == (answer.status_code, is_in(browser))


def test_keys_that_the_provider_has_changed_are_fetched_again(browser, place, provider):
    connected(place, provider)
    go(browser, provider)
    browser.cookies.clear()
    provider.keys = [a_key("second")]

    go(browser, provider)

    assert is_in(browser)


def test_whoever_refuses_there_reads_that_nothing_was_changed(browser, provider):
    begun = browser.send("/oidc/google")
    state = dict(parse_qsl(urlsplit(begun.headers["location"]).query))["state"]

    answer = browser.get("/oidc/google/callback", params={"state": state, "error": "access_denied"})

    assert (200, True) == (answer.status_code, "You did not go on at Google." in words(answer))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_provider_that_does_not_answer_is_said_and_the_password_goes_on(
    browser, place, provider, when
):
    register(place, ANN)
    begun = browser.send("/oidc/google") if when == "after" else None
    told = provider.agree(begun.headers["location"]) if begun else {}
    provider.is_away = True

    answer = (
        browser.get("/oidc/google/callback", params=told) if begun else browser.send("/oidc/google")
    )

    assert (503, True) == (answer.status_code, "Google does not answer now" in words(answer))
    assert 200 == browser.get("/sign-in").status_code
    assert 303 == browser.sign_in(ANN).status_code


def test_a_code_that_the_provider_does_not_take_lets_nobody_in(browser, place, provider):
    connected(place, provider)
    begun = browser.send("/oidc/google")
    told = provider.agree(begun.headers["location"]) | {"code": "invented"}

    assert 422 == browser.get("/oidc/google/callback", params=told).status_code


def test_looking_at_addresses_changes_nothing(browser, place, provider):
    connected(place, provider)
    begun = browser.send("/oidc/google")
    told = provider.agree(begun.headers["location"])

    looked = [
        browser.get("/oidc/google"),
        browser.head(f"/oidc/google/callback?state={told['state']}&code={told['code']}"),
    ]
    browser.get("/oidc/google/callback", params=told)

    assert (["/sign-in"] * 2, True) == (
        [one.headers["location"] for one in looked],
        is_in(browser),
    )


def test_an_account_is_removed_with_the_password_and_opens_nothing_any_more(
    browser, place, provider
):
    connected(place, provider)
    browser.sign_in(ANN)
    browser.get("/account/sign-in-with")
    (one,) = rows(place, outside_identity)
    number = str(one.number)

    answers = [
        browser.post("/account/sign-in-with/remove", number=number, current="wrong"),
        browser.post("/account/sign-in-with/remove", number="99", current=PASSWORD),
        browser.post("/account/sign-in-with/remove", number=number, current=PASSWORD),
    ]
    browser.cookies.clear()
    go(browser, provider)

    assert [422, 404, 303] == [answer.status_code for answer in answers]
    assert not is_in(browser)


def test_the_last_way_in_is_not_removed(place, provider):
    from identity.oidc.identities import disconnect

    user = connected(place, provider)
    with place.database.writing() as books:
        books.execute(credential.delete())
        (one,) = books.execute(sa.select(outside_identity)).all()
        gone = disconnect(books, user, one.number, NOW)

    assert (False, 1) == (gone, len(rows(place, outside_identity)))


@pytest.fixture
def apple_place(office, provider):
    from cryptography.hazmat.primitives import serialization
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256").private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (office.home / "apple.p8").write_bytes(key)
    chosen = OidcSettings(
        apple_client_id=CLIENT, apple_team_id="TEAM000000", apple_key_id="KEY0000000",
        apple_key_file="apple.p8", apple_issuer=provider.issuer,
    )  # fmt: skip
    return an_office_at(
        office.home, office.database, "2026-11-03T09:00", web=WebSettings(url=URL), oidc=chosen
    )


def test_apples_answer_is_a_form_that_comes_without_our_session(apple_place, provider, monkeypatch):
    monkeypatch.setattr("tests.web.customers.factors.provider.SECRET", None)
    provider.token_of = _for_apple(provider)
    user = register(apple_place, ANN)
    account = OutsideAccount("apple", provider.issuer, "subject-of-ann")
    with apple_place.database.writing() as books:
        connect(books, user, account, NOW)
    browser = Browser(desk_of(apple_place))
    begun = browser.send("/oidc/apple", next="/news")
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    cookie = begun.headers["set-cookie"]

    answer = browser.send(
        "/oidc/apple/callback",
        {"sec-fetch-site": "cross-site", "origin": "https://appleid.apple.com"},
        **provider.agree(begun.headers["location"]),
    )
    del provider.token_of

    assert ("form_post", "openid email name") == (asked["response_mode"], asked["scope"])
    assert re.search(r"^__Secure-oidc=.*HttpOnly.*Path=/oidc; SameSite=none; Secure", cookie)
    assert ("/news", True) == (answer.headers["location"], is_in(browser))


def _for_apple(provider):
    """Check the token that stands in the place of a secret, then answer as always."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    def token_of(form):
        from tests.web.customers.factors import provider as module

        claims = jwt.decode(
            form["client_secret"], ECKey.import_key(_PUBLIC["key"]), algorithms=["ES256"]
        ).claims
        assert ("TEAM000000", CLIENT) == (claims["iss"], claims["sub"])
        module.SECRET = form["client_secret"]
        return type(provider).token_of(provider, form)

    return token_of


_PUBLIC: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _know_apples_key(request):
    if "apple_place" in request.fixturenames:
        place = request.getfixturevalue("apple_place")
        _PUBLIC["key"] = (place.home / "apple.p8").read_text()


def test_only_apples_answer_may_come_from_another_site(browser, apple_place):
    elsewhere = {"sec-fetch-site": "cross-site"}
    apples = Browser(desk_of(apple_place))

    assert 403 == browser.send("/oidc/google/callback", elsewhere).status_code
    assert 403 == apples.send("/oidc/apple", elsewhere).status_code
    assert 410 == apples.send("/oidc/apple/callback", elsewhere, state="x").status_code
    assert 404 == apples.get("/oidc/apple/callback").status_code


def test_what_proves_us_to_apple_is_good_for_minutes(apple_place):
    from joserfc import jwt
    from joserfc.jwk import ECKey

    key = (apple_place.home / "apple.p8").read_text()
    made = jwt.decode(
        apple_secret(apple_place.settings.oidc, key, NOW),
        ECKey.import_key(key),
        algorithms=["ES256"],
    )

    assert ("KEY0000000", 300) == (made.header["kid"], made.claims["exp"] - made.claims["iat"])


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"google_client_id": "x"}, "Google needs BILLCLOSE_OIDC__GOOGLE_CLIENT_SECRET too"),
        ({"apple_client_id": "x"}, "Apple needs oidc.apple_team_id and oidc.apple_key_id and oidc"),
    ],
)
def test_a_provider_that_is_set_by_half_is_refused_in_a_sentence(chosen, said):
    with pytest.raises(ValidationError, match=said):
        OidcSettings(**chosen)


@pytest.mark.parametrize(
    ("url", "said"), [(URL, "apple_key_file: there is no file"), ("", "set web.url")]
)
def test_what_is_missing_besides_is_said_when_the_desk_starts(office, url, said):
    chosen = OidcSettings(
        apple_client_id="x", apple_team_id="x", apple_key_id="x", apple_key_file="no.p8"
    )
    place = an_office_at(
        office.home, office.database, "2026-11-03T09:00", web=WebSettings(url=url), oidc=chosen
    )

    with pytest.raises(Misuse, match=said):
        require_whole(place)
