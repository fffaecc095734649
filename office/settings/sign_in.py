"""The section about signing in with accounts at Google and Apple."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from office.settings.addresses import ServiceUrl
from office.settings.section import SettingsSection

GOOGLE, APPLE = "https://accounts.google.com", "https://appleid.apple.com"


class OidcSettings(SettingsSection):
    google_client_id: str = Field(
        "", description="…apps.googleusercontent.com; empty: nobody signs in with Google."
    )
    google_client_secret: SecretStr = Field(
        SecretStr(""), description="As BILLCLOSE_OIDC__GOOGLE_CLIENT_SECRET; never written here."
    )
    google_issuer: ServiceUrl = Field("", description="Empty: Google. Or what stands in, in tests.")
    apple_client_id: str = Field(
        "", description="The services ID at Apple; empty: nobody signs in with Apple."
    )
    apple_team_id: str = Field("", description="Ten letters and digits.")
    apple_key_id: str = Field("", description="Of the key below, ten letters and digits.")
    apple_key_file: str = Field("", description="Private key (.p8), from the home.")
    apple_issuer: ServiceUrl = Field("", description="Empty: Apple. Or what stands in, in tests.")

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """A provider that is set by half would turn customers away."""
        secret = self.google_client_secret.get_secret_value()
        if self.google_client_id and not secret:
            raise ValueError("Google needs BILLCLOSE_OIDC__GOOGLE_CLIENT_SECRET too")
        parts = ("apple_team_id", "apple_key_id", "apple_key_file")
        missing = [f"oidc.{name}" for name in parts if not getattr(self, name)]
        if self.apple_client_id and missing:
            raise ValueError(f"Apple needs {' and '.join(missing)} too")
        return self

    @property
    def is_used(self) -> bool:
        return bool(self.google_client_id or self.apple_client_id)
