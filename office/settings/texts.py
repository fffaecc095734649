"""The section about text messages."""

from __future__ import annotations

import re
from datetime import time
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from domain.money import ZERO, Money
from office.settings.addresses import ServiceUrl
from office.settings.section import SettingsSection

_SENDER = re.compile(r"\+[1-9]\d{9,14}|MG[0-9a-f]{32}|\d{5,6}")


class TextsSettings(SettingsSection):
    system: Literal["folder", "twilio"] = Field(
        "folder",
        description="What carries texts: folder, files in the home that reach nobody; twilio.",
    )
    account_sid: str = Field("", description="Twilio's number of the account, AC….")
    auth_token: SecretStr = Field(
        SecretStr(""), description="As BILLCLOSE_TEXTS__AUTH_TOKEN; never written here."
    )
    sender: str = Field(
        "", description="From which number texts come, +14355550100, or a messaging service, MG…."
    )
    url: ServiceUrl = Field("", description="Empty: Twilio itself. Or a server that stands in.")
    begin: str = Field("09:00", description="No text about a bill leaves before this local time.")
    end: str = Field("20:00", description="And none from this time on; it waits for the morning.")
    amounts: bool = Field(
        True, description="false: no amount stands in a text, which others may see on the phone."
    )
    most_a_day: int = Field(
        5_000, ge=0, description="Of texts to many: so many phones a day at most; 0: none is sent."
    )
    thousand_cost: str = Field(
        "",
        description="What the carrier takes for 1,000 segments, such as 8.30; said before a text "
        "goes to many. Empty: not said.",
    )

    @field_validator("thousand_cost")
    @classmethod
    def check_cost(cls, value: str) -> str:
        if value and Money.parse(value) < ZERO:
            raise ValueError("write an amount such as 8.30")
        return value

    @field_validator("begin", "end")
    @classmethod
    def check_time(cls, value: str, about: ValidationInfo) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError("write a time of day such as 09:00")
        if about.field_name == "end" and value <= str(about.data.get("begin", "")):
            raise ValueError("the hours of texts must end after they begin, on the same day")
        return value

    @field_validator("sender")
    @classmethod
    def check_sender(cls, value: str) -> str:
        if value and not _SENDER.fullmatch(value):
            raise ValueError("write a number such as +14355550100, or a messaging service MG…")
        return value

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """Twilio needs an account, a sender and a token: half of it would fail at night."""
        needed = {
            "account_sid": self.account_sid,
            "sender": self.sender,
            "auth_token": self.auth_token.get_secret_value(),
        }
        missing = [f"texts.{name}" for name, value in needed.items() if not value]
        if self.system == "twilio" and missing:
            raise ValueError(f"twilio needs {' and '.join(missing)} too")
        return self

    @property
    def hours(self) -> tuple[time, time]:
        """From when until when texts about bills leave, in local time."""
        return time.fromisoformat(self.begin), time.fromisoformat(self.end)
