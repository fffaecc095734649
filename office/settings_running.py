"""The sections about running: the Prefect server and what is logged."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from office.settings_section import Section


class PrefectSettings(Section):
    api_url: str = Field(
        "", description="Where a Prefect server answers; empty: one of our own while a close runs."
    )
    auth_string: SecretStr = Field(
        SecretStr(""),
        description="name:password of the Prefect server, as BILLCLOSE_PREFECT__AUTH_STRING; "
        "empty: that in prefect.secret in the home, for a server of our own.",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Where our own Prefect server keeps its runs: postgresql://…, as "
        "BILLCLOSE_PREFECT__DATABASE_URL; empty: SQLite in the home.",
    )
    schedules: bool = Field(
        True, description="`billclose up` starts flows by the calendar; false: cron or nobody does."
    )

    @field_validator("auth_string")
    @classmethod
    def check_pair(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not text.startswith("prefect-secret:") and not all(text.partition(":")):
            raise ValueError("write name:password")
        if text.startswith("prefect-secret:"):
            raise ValueError("what opens the Prefect server cannot be kept in it")
        return value

    @field_validator("database_url")
    @classmethod
    def check_database(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not re.match(r"(postgresql(\+\w+)?://\S)", text):
            raise ValueError("write postgresql://user@host/name or nothing")
        return value


class LoggingSettings(Section):
    format: Literal["text", "json"] = Field(
        "text", description="How log lines are written: text, or json: one object a line."
    )
