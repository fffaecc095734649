"""One provider: where it is found, what it is asked, and how its answer is checked."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import KeySet

from domain.failures import Refused, TemporaryFailure

ALGORITHMS = ["RS256", "ES256"]
LEEWAY = 60  # seconds that clocks may be apart
KEPT = timedelta(hours=1)  # what a provider says of itself
_SECONDS = 10.0
_LONGEST_SUBJECT = 255  # characters, OpenID Connect Core 2


@dataclass(frozen=True, slots=True)
class OutsideAccount:
    """Who somebody is at a provider: issuer and subject; `label` is only to know it by."""

    provider: str
    issuer: str
    subject: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """
    What was agreed with a provider; `secret` makes what proves us to it, at a moment.

    `posts_back`: its answer is a form that the browser posts, as Apple does.
    """

    code: str
    name: str
    issuer: str
    client_id: str
    secret: Callable[[datetime], str] = field(repr=False)
    scope: str = "openid email"
    posts_back: bool = False


class IdentityProvider:
    """
    Speaks with one provider; used by several threads.

    Raises TemporaryFailure where the provider gives no answer, and Refused with a code for an
    answer that is not to be believed.
    """

    def __init__(self, terms: ProviderTerms) -> None:
        self.terms = terms
        self._turn = threading.Lock()
        self._known: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    def page_for(
        self, state: str, nonce: str, verifier: str, redirect_uri: str, now: datetime
    ) -> str:
        """Return the address of the provider's page, to which the browser is sent."""
        asked = {
            "response_type": "code",
            "client_id": self.terms.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.terms.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        if self.terms.posts_back:
            asked["response_mode"] = "form_post"
        page = httpx.URL(self._said(now)["authorization_endpoint"])
        return str(page.copy_merge_params(asked))

    def origin(self, now: datetime) -> str:
        """Return where the provider's page is, as a policy of pages names it."""
        url = httpx.URL(self._said(now)["authorization_endpoint"])
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    def account_of(
        self, code: str, nonce: str, verifier: str, redirect_uri: str, now: datetime
    ) -> OutsideAccount:
        """Change a code for who it is of, once; the token is checked by the provider's keys."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.terms.client_id,
            "client_secret": self.terms.secret(now),
            "code_verifier": verifier,
        }
        try:
            answer = httpx.post(self._said(now)["token_endpoint"], data=form, timeout=_SECONDS)
            found = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            raise TemporaryFailure(f"{self.terms.name} gives no answer") from None
        if answer.is_server_error:
            raise TemporaryFailure(f"{self.terms.name} answers {answer.status_code}")
        if not isinstance(found, dict) or not found.get("id_token"):
            raise Refused("code-refused", "The provider does not take its code.")
        return self._checked(str(found["id_token"]), nonce, now)

    def _checked(self, token: str, nonce: str, now: datetime) -> OutsideAccount:
        claims = self._decoded(token, now)
        wanted = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.terms.issuer},
            aud={"essential": True, "value": self.terms.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            wanted.validate(claims)
        except ExpiredTokenError:
            raise Refused("token-over", "The provider's token is over.") from None
        except ClaimError as wrong:
            raise Refused(
                "token-wrong", f"The provider's token has a wrong {wrong.claim}."
            ) from None
        except JoseError:
            raise Refused("token-wrong", "The provider's token is wrong.") from None
        self._require_for_us(claims)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise Refused("token-wrong", "The provider's token names nobody.")
        label = claims.get("email")
        shown = label[:320] if isinstance(label, str) and label.isprintable() else ""
        return OutsideAccount(self.terms.code, self.terms.issuer, subject, shown)

    def _require_for_us(self, claims: Mapping[str, Any]) -> None:
        """Refuse a token that is for several and was asked for by another (Core 3.1.3.7)."""
        audience, party = claims["aud"], claims.get("azp")
        is_for_several = isinstance(audience, list) and len(audience) > 1
        if (is_for_several or party is not None) and party != self.terms.client_id:
            raise Refused("token-wrong", "The provider's token has a wrong azp.")

    def _decoded(self, token: str, now: datetime) -> dict[str, Any]:
        """Check the signature; keys that the provider has changed are fetched once more."""
        for is_fresh in (False, True):
            keys = self._key_set(now, fresh=is_fresh)
            try:
                return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except (JoseError, ValueError, KeyError):
                continue
        raise Refused("token-unsigned", "The provider's token is not signed by it.")

    def _key_set(self, now: datetime, *, fresh: bool) -> KeySet:
        with self._turn:
            if self._keys is not None and not fresh:
                return self._keys
        found = self._get(str(self._said(now)["jwks_uri"]))
        try:
            keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError):
            raise TemporaryFailure(f"{self.terms.name}'s keys cannot be read") from None
        with self._turn:
            self._keys = keys
        return keys

    def _said(self, now: datetime) -> Mapping[str, Any]:
        """Return what the provider says of itself, an hour old at most; it must name itself so."""
        with self._turn:
            if self._known is not None and now - self._known[0] < KEPT:
                return self._known[1]
        said = self._get(f"{self.terms.issuer}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if said.get("issuer") != self.terms.issuer or not all(
            isinstance(said.get(name), str) for name in needed
        ):
            raise TemporaryFailure(f"{self.terms.name} describes itself as another one")
        with self._turn:
            self._known = (now, said)
        return said

    def _get(self, url: str) -> dict[str, Any]:
        try:
            answer = httpx.get(url, timeout=_SECONDS)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError):
            raise TemporaryFailure(f"{self.terms.name} gives no answer") from None
        if not isinstance(found, dict):
            raise TemporaryFailure(f"{self.terms.name} gives an answer that cannot be read")
        return found


def challenge_of(verifier: str) -> str:
    """Return what the provider is shown of a code's verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
