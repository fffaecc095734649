"""The providers that an office lets customers sign in with; none unless they are set."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from domain.failures import Misuse
from identity.oidc.provider import IdentityProvider, ProviderTerms
from office.settings.sign_in import APPLE, GOOGLE

if TYPE_CHECKING:
    from office.settings.settings import Settings
    from office.settings.sign_in import OidcSettings

SECRET_GOOD_FOR = 300  # seconds; Apple takes up to six months


class SignInNeeds(Protocol):
    """What providers are made from: an office, as far as it is about signing in."""

    @property
    def home(self) -> Path: ...
    @property
    def settings(self) -> Settings: ...


def to_providers(office: SignInNeeds) -> dict[str, IdentityProvider]:
    """Return the providers by their codes. Raises Misuse where the key is not there."""
    chosen = office.settings.oidc
    if chosen.is_used and not office.settings.web.url:
        raise Misuse("To sign in with Google or Apple, set web.url: they lead back there.")
    terms = [
        *([_google(chosen)] if chosen.google_client_id else []),
        *([_apple(office.home, chosen)] if chosen.apple_client_id else []),
    ]
    return {one.code: IdentityProvider(one) for one in terms}


def _google(chosen: OidcSettings) -> ProviderTerms:
    secret = chosen.google_client_secret.get_secret_value()
    issuer = chosen.google_issuer or GOOGLE
    return ProviderTerms("google", "Google", issuer, chosen.google_client_id, lambda _now: secret)


def _apple(home: Path, chosen: OidcSettings) -> ProviderTerms:
    file = home / chosen.apple_key_file
    if not file.is_file():
        raise Misuse(f"oidc.apple_key_file: there is no file {file}.")
    return ProviderTerms(
        "apple",
        "Apple",
        chosen.apple_issuer or APPLE,
        chosen.apple_client_id,
        lambda now: apple_secret(chosen, file.read_text("ascii"), now),
        scope="openid email name",
        posts_back=True,
    )


def apple_secret(chosen: OidcSettings, key: str, now: datetime) -> str:
    """Make what proves us to Apple: a token of our own, signed with the key that it knows."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    made = int(now.timestamp())
    claims = {
        "iss": chosen.apple_team_id,
        "iat": made,
        "exp": made + SECRET_GOOD_FOR,
        "aud": chosen.apple_issuer or APPLE,
        "sub": chosen.apple_client_id,
    }
    header = {"alg": "ES256", "kid": chosen.apple_key_id}
    return jwt.encode(header, claims, ECKey.import_key(key))
