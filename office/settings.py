"""The office's settings: `billclose.toml` in the home, each one also from the environment."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from domain.failures import Misuse
from domain.money import Money
from rules.autopay import OnClosedDay, OverMaximum

FILE = "billclose.toml"
PREFIX = "BILLCLOSE_"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UtilitySettings(_Section):
    holidays: Annotated[str | tuple[date, ...], NoDecode] = Field(
        "US",
        description="Holiday calendar of the office: US, a state such as US-CO, none, "
        "or a list of dates.",
    )
    closed_days: Annotated[tuple[date, ...], NoDecode] = Field(
        (), description="The office's own closed days, as dates."
    )

    @field_validator("closed_days", "holidays", mode="before")
    @classmethod
    def split(cls, value: Any, field: ValidationInfo) -> Any:
        """Take a list, or from the environment JSON or dates with commas between them."""
        is_calendar = field.field_name == "holidays"
        if isinstance(value, str) and value.strip().startswith("["):
            value = json.loads(value)
        elif isinstance(value, str):
            if is_calendar and not value.strip()[:4].isdigit():
                return value
            value = [part.strip() for part in value.split(",") if part.strip()]
        if is_calendar and isinstance(value, list):  # else a wrong date would be called no text
            return tuple(date.fromisoformat(str(day)) for day in value)
        return value


class DatabaseSettings(_Section):
    url: str = Field(
        "", repr=False, description="Empty: SQLite in the home. Or postgresql+psycopg://…"
    )


class BillsSettings(_Section):
    store: str = Field("bills", description="A folder below the home, or any fsspec URL.")


class SmtpSettings(_Section):
    url: str = Field(
        "",
        repr=False,
        description="smtp://host:25, smtp+starttls://host:587 or smtps://host:465; "
        "empty: .eml files in the home.",
    )
    username: str = Field("", description="Name at the mail server; empty: no login.")
    password: SecretStr = Field(
        SecretStr(""), description="Better given as BILLCLOSE_SMTP__PASSWORD than written here."
    )
    connections: int = Field(
        4, ge=1, le=64, description="Connections to the mail server at a time."
    )
    messages_per_minute: int = Field(0, ge=0, description="0: as fast as the server takes them.")
    sender: str = Field(
        "billing@localhost", description="Address that the mails come from and bounce to."
    )
    reply_to: str = Field("", description="A mailbox that somebody reads, for answers.")


class EbillSettings(_Section):
    landlords: bool = Field(True, description="Landlords and cosigners receive the e-bill too.")
    resend_in_doubt: bool = Field(
        True, description="Send again what a crash left in doubt; false: a person decides."
    )


class AutopaySettings(_Section):
    on_closed_day: OnClosedDay = Field(
        OnClosedDay.PREVIOUS, description="previous, next or same, for days without banking."
    )
    over_maximum: OverMaximum = Field(
        OverMaximum.SKIP, description="skip or cap, where the customer has not chosen."
    )


class RemindersSettings(_Section):
    days_before_due: int = Field(3, ge=0, le=60, description="Payment-due mails: days before.")
    days_after_due: int = Field(1, ge=0, le=60, description="Past-due mails: days after.")
    time: str = Field(
        "06:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time of both."
    )
    spare_autopay: bool = Field(False, description="No payment-due mail for autopay customers.")


class ChecksSettings(_Section):
    usage_factor: float = Field(
        2.0, gt=1, description="Usage above this many times what is usual is an outlier."
    )
    amount_factor: float = Field(2.0, gt=1, description="The same for the amount due.")
    large_bill: str = Field("2500.00", description="A bill above this gets a second look.")
    adjustment_limit: str = Field("500.00", description="The same for an adjustment.")
    notice_days: int = Field(10, ge=0, description="Days between notice and a changed ACH draw.")

    @field_validator("large_bill", "adjustment_limit")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        Money.parse(value)
        return value


class SplitterSettings(_Section):
    processes: int = Field(0, ge=0, description="0: one a core.")


class PrefectSettings(_Section):
    api_url: str = Field(
        "", description="Where a Prefect server answers; empty: one of our own while a close runs."
    )


class Settings(BaseSettings):
    """All settings; unknown keys are refused, so that a typing mistake does not go unnoticed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    utility: UtilitySettings = UtilitySettings()
    database: DatabaseSettings = DatabaseSettings()
    bills: BillsSettings = BillsSettings()
    smtp: SmtpSettings = SmtpSettings()
    ebill: EbillSettings = EbillSettings()
    autopay: AutopaySettings = AutopaySettings()
    reminders: RemindersSettings = RemindersSettings()
    checks: ChecksSettings = ChecksSettings()
    splitter: SplitterSettings = SplitterSettings()
    prefect: PrefectSettings = PrefectSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, _FILES[-1]) if _FILES else None
        return (init_settings, env_settings, *((toml,) if toml else ()))


_FILES: list[Path] = []  # the file being read: pydantic-settings takes it from the class only


def read_settings(home: Path) -> Settings:
    """
    Read the settings of a home; the environment wins over the file.

    Raises Misuse with the file, the key and what is wrong with it.
    """
    file = home / FILE
    _refuse_unknown_sections()
    _FILES.append(file)
    try:
        return Settings()
    except tomllib.TOMLDecodeError as wrong:
        raise Misuse(f"{file} is not readable as TOML: {wrong}.") from None
    except ValidationError as wrong:
        raise Misuse(f"{file}: {_first_fault(wrong)}") from None
    except SettingsError as wrong:  # a section given as one value, which is not repeated
        raise Misuse(f"{wrong}; give each key as BILLCLOSE_<SECTION>__<KEY>.") from None
    finally:
        _FILES.pop()


def _refuse_unknown_sections() -> None:
    """Look at what pydantic-settings passes over: sections that only the environment has."""
    for name in os.environ:
        section, separator, _ = name.lower().removeprefix(PREFIX.lower()).partition("__")
        if name.upper().startswith(PREFIX) and separator and section not in Settings.model_fields:
            raise Misuse(f"There is no setting {name}; there is no section {section}.")


def _first_fault(wrong: ValidationError) -> str:
    fault = wrong.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"there is no setting {key}; see the commented file that `billclose init` writes."
    message = fault["msg"][:1].lower() + fault["msg"][1:]
    return f"the setting {key} is wrong: {message}."


def commented_file() -> str:
    """Write every setting with its default and meaning, commented out, for `billclose init`."""
    lines = [
        "# Settings of this office. A line that begins with # stands at its default.",
        "# Each can also be given in the environment as BILLCLOSE_<SECTION>__<KEY>.",
    ]
    for section, field in Settings.model_fields.items():
        lines += ["", f"[{section}]"]
        model: type[BaseModel] = field.annotation  # type: ignore[assignment]
        for key, setting in model.model_fields.items():
            if setting.description:
                lines.append(f"# {setting.description}")
            lines.append(f"#{key} = {_as_toml(setting.default)}")
    return "\n".join(lines) + "\n"


def _as_toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[]"
    return json.dumps(value) if isinstance(value, str) else str(value)
