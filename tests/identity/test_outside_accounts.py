"""Accounts elsewhere: how many a portal user has, whom they are taken from, who gives no answer."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from database.definitions.identity import address_change, web_user
from domain.failures import Refused, TemporaryFailure
from domain.identity import UserState
from identity.oidc.identities import MOST, connect, identities_of, sign_in_by
from identity.oidc.mailed import mail_connection
from identity.oidc.provider import IdentityProvider, OutsideAccount, ProviderTerms
from identity.oidc.requests import begin, keep_unknown, take_answer
from identity.tokens import LinkTokens
from identity.users import make_user
from tests.builders import NOW

TOKENS = LinkTokens(b"secret of the home")
ISSUER = "https://elsewhere.example"
TERMS = ProviderTerms("google", "Google", ISSUER, "client", lambda _now: "secret")
SAID = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


def an_account(subject: str) -> OutsideAccount:
    return OutsideAccount("google", ISSUER, subject, "a@elsewhere.example")


def test_a_portal_user_has_five_accounts_elsewhere_at_most(database):
    with database.writing() as books:
        user = make_user(books, "ann@x.example", NOW, UserState.ACTIVE)
        found = [connect(books, user, an_account(str(number)), NOW) for number in range(MOST + 1)]
        again = connect(books, user, an_account("0"), NOW)

        assert [True] * 5 + [False] == found
        assert again  # it is theirs already
        assert 5 == len(identities_of(books, user))


def test_an_account_of_somebody_who_was_deleted_may_be_connected_by_another(database):
    with database.writing() as books:
        gone = make_user(books, "ann@x.example", NOW, UserState.ACTIVE)
        user = make_user(books, "bob@x.example", NOW, UserState.ACTIVE)
        connect(books, gone, an_account("1"), NOW)
        before = connect(books, user, an_account("1"), NOW)
        mine = web_user.c.number == gone
        books.execute(sa.update(web_user).where(mine).values(state=UserState.DELETED))
        opens_nothing = sign_in_by(books, an_account("1"), NOW)

        after = connect(books, user, an_account("1"), NOW)

        assert (False, None, True) == (before, opens_nothing, after)
        assert user == sign_in_by(books, an_account("1"), NOW)


def answering(monkeypatch, **answers):
    """Let the provider answer by path; what is no text is raised."""

    def answer(url, **_how):
        found = answers[str(url).rpartition("/")[2].replace("-", "_")]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(200, text=found, request=httpx.Request("GET", url))

    monkeypatch.setattr("identity.oidc.provider.httpx.get", answer)
    monkeypatch.setattr("identity.oidc.provider.httpx.post", answer)
    return IdentityProvider(TERMS)


def account_of(provider):
    return provider.account_of("code", "nonce", "verifier", "https://x.example/back", NOW)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (json.dumps(SAID | {"issuer": "https://other.example"}), "describes itself as another one"),
        (json.dumps(SAID | {"jwks_uri": None}), "describes itself as another one"),
        ("[]", "gives an answer that cannot be read"),
        ("<html>", "gives no answer"),
        (httpx.ConnectError("no route"), "gives no answer"),
    ],
)
def test_a_provider_that_does_not_name_itself_is_not_asked(monkeypatch, said, why):
    provider = answering(monkeypatch, openid_configuration=said)

    with pytest.raises(TemporaryFailure, match=f"^Google {why}$"):
        provider.origin(NOW)


@pytest.mark.parametrize(
    ("token", "keys", "why"),
    [
        (httpx.ReadTimeout("late"), "{}", "gives no answer"),
        ("<html>", "{}", "gives no answer"),
        ('{"id_token": "x.y.z"}', '{"keys": [{"kty": "none"}]}', "'s keys cannot be read"),
    ],
)
def test_a_provider_that_answers_otherwise_lets_nobody_in_for_now(monkeypatch, token, keys, why):
    said = json.dumps(SAID)
    provider = answering(monkeypatch, openid_configuration=said, token=token, keys=keys)

    with pytest.raises(TemporaryFailure, match=f"^Google ?{why}$"):
        account_of(provider)


def test_what_a_provider_says_of_itself_is_asked_for_once_an_hour(monkeypatch):
    provider = answering(monkeypatch, openid_configuration=json.dumps(SAID))
    assert ISSUER == provider.origin(NOW)
    answering(monkeypatch, openid_configuration=httpx.ConnectError("no route"))

    assert ISSUER == provider.origin(NOW + timedelta(minutes=59))
    with pytest.raises(TemporaryFailure):
        provider.origin(NOW + timedelta(hours=1))


@pytest.mark.parametrize("token", ["[]", "{}", '{"id_token": ""}'])
def test_a_code_that_brings_no_token_is_refused(monkeypatch, token):
    provider = answering(monkeypatch, openid_configuration=json.dumps(SAID), token=token)

    with pytest.raises(Refused, match=r"^The provider does not take its code\.$"):
        account_of(provider)


def prove(books) -> str:
    """Let a browser prove an account that opens nothing yet; return what it is known by."""
    begun = begin(books, "google", NOW, "/")
    answered = take_answer(books, "google", begun.state, begun.binder, NOW)
    assert answered is not None
    keep_unknown(books, answered, an_account("1"))
    return begun.binder


@pytest.mark.parametrize(
    ("state", "kind"),
    [(None, "connect"), (UserState.ACTIVE, "connect"), (UserState.LOCKED, None)],
)
def test_the_mail_to_connect_goes_to_whoever_may_sign_in_or_is_new(database, state, kind):
    with database.writing() as books:
        binder = prove(books)
        if state is not None:
            make_user(books, "ann@x.example", NOW, state)

        mail = mail_connection(books, TOKENS, binder, "ann@x.example", NOW)
        of_another = mail_connection(books, TOKENS, "another browser's", "ann@x.example", NOW)

    assert (kind, None) == (mail and mail.form, of_another)


def test_an_address_that_somebody_left_these_days_registers_nobody_else(database):
    with database.writing() as books:
        binder = prove(books)
        user = make_user(books, "new@x.example", NOW, UserState.ACTIVE)
        left = {"from_mailbox": "ann@x.example", "from_address": "ann@x.example"}
        gone_to = {"to_mailbox": "new@x.example", "to_address": "new@x.example"}
        keys = {"proof": "p", "stop": "s", "asked_at": NOW, "changed_at": NOW}
        row = {"user_number": user, **left, **gone_to, **keys}
        books.execute(address_change.insert(), row)

        mail = mail_connection(books, TOKENS, binder, "Ann@x.example", NOW)

        assert mail is not None and ("address-taken", 0) == (mail.form, mail.user)
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(web_user))
