"""The sections about watching the office's health, its calendar, its exports and its web desk."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from office.settings_section import Section, is_web_address

TOKEN = "{token}"  # noqa: S105 - its place in the office's address


class HealthSettings(Section):
    export_days: int = Field(
        3, ge=0, le=60, description="An export is overdue so many days after its period's end."
    )
    remind_hours: int = Field(
        26, ge=0, description="So long after its last good end `remind` is missed; 0: by nobody."
    )
    collect_hours: int = Field(
        26, ge=0, description="The same for `collect`, while payments are due; 0: by nobody."
    )
    bounces_hours: int = Field(
        26, ge=0, description="The same for `process-bounces`, where bounces.source is set."
    )
    late_minutes: int = Field(
        30, ge=1, description="A run that a Prefect server has scheduled is late after so long."
    )
    grace_minutes: int = Field(
        5, ge=0, description="What does not answer is told of only when it lasts so long."
    )
    approval_hours: int = Field(
        48, ge=0, description="A close that waits for a yes for longer is told of; 0: never."
    )
    disk_free_gb: float = Field(
        2.0, ge=0, description="Below this a disk of the office is nearly full, in gigabytes."
    )
    clock_seconds: int = Field(
        60, ge=2, description="The machine's clock may differ by so much from those of servers."
    )
    clock_url: str = Field(
        "", description="A web server that is asked for the time too: https://… or http://…."
    )

    @field_validator("clock_url")
    @classmethod
    def check_clock(cls, value: str) -> str:
        secure = value.replace("http://", "https://", 1) if value.startswith("http://") else value
        if value and not is_web_address(secure):
            raise ValueError("write an https:// or http:// address")
        return value


class CalendarSettings(Section):
    due_day: int = Field(
        0,
        ge=0,
        le=31,
        description="Day of the month after the period by which bills are due; 0: as before.",
    )
    least_days_to_due: int = Field(
        14, ge=0, le=60, description="A close nearer to the due date than this is marked."
    )


class ExportsSettings(Section):
    link_url: str = Field(
        "",
        description="Where an export is fetched: https://… with {token} in it, such as that of "
        "`billclose web`.",
    )
    hours: int = Field(72, ge=1, le=720, description="So long the link of an export is good.")

    @field_validator("link_url")
    @classmethod
    def check_link(cls, value: str) -> str:
        if value and not (is_web_address(value) and TOKEN in value):
            raise ValueError("write an https:// address with {token} in it")
        return value


class WebSettings(Section):
    health_token: SecretStr = Field(
        SecretStr(""),
        description="As BILLCLOSE_WEB__HEALTH_TOKEN; never written here. Who knows it may read "
        "/health; empty: this machine alone.",
    )
