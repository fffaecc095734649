"""The office's settings: `billclose.toml` in the home, each one also from the environment."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from domain.failures import Misuse
from office.prefect_access import settle
from office.secret_sources import (
    from_files,
    refuse_written_secrets,
    remember_secrets,
    without_files,
)
from office.settings_approval import ApprovalSettings
from office.settings_close import (
    BillsSettings,
    ChecksSettings,
    DatabaseSettings,
    SplitterSettings,
    UtilitySettings,
)
from office.settings_health import (
    CalendarSettings,
    ExportsSettings,
    HealthSettings,
    WebSettings,
)
from office.settings_mail import (
    AlertsSettings,
    BouncesSettings,
    CommunicationsSettings,
    EbillSettings,
    SmtpSettings,
)
from office.settings_money import AutopaySettings, CashReceiptingSettings, PaymentsSettings
from office.settings_nightly import NoticesSettings, RemindersSettings
from office.settings_running import LoggingSettings, PrefectSettings
from office.settings_workers import WorkersSettings

FILE = "billclose.toml"
PREFIX = "BILLCLOSE_"


class Settings(BaseSettings):
    """All settings; unknown keys are refused, so that a typing mistake does not go unnoticed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    utility: UtilitySettings = UtilitySettings()
    database: DatabaseSettings = DatabaseSettings()
    bills: BillsSettings = BillsSettings()
    smtp: SmtpSettings = SmtpSettings()
    bounces: BouncesSettings = BouncesSettings()
    ebill: EbillSettings = EbillSettings()
    communications: CommunicationsSettings = CommunicationsSettings()
    autopay: AutopaySettings = AutopaySettings()
    payments: PaymentsSettings = PaymentsSettings()
    cash_receipting: CashReceiptingSettings = CashReceiptingSettings()
    alerts: AlertsSettings = AlertsSettings()
    reminders: RemindersSettings = RemindersSettings()
    notices: NoticesSettings = NoticesSettings()
    checks: ChecksSettings = ChecksSettings()
    approval: ApprovalSettings = ApprovalSettings()
    splitter: SplitterSettings = SplitterSettings()
    prefect: PrefectSettings = PrefectSettings()
    logging: LoggingSettings = LoggingSettings()
    workers: WorkersSettings = WorkersSettings()
    health: HealthSettings = HealthSettings()
    calendar: CalendarSettings = CalendarSettings()
    exports: ExportsSettings = ExportsSettings()
    web: WebSettings = WebSettings()

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
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = without_files(settings_cls, env_settings.env_vars, PREFIX)
        files = InitSettingsSource(settings_cls, dict(from_files(settings_cls, PREFIX)))
        return (init_settings, env_settings, files, *((toml,) if toml else ()))


_FILES: list[Path] = []  # the file being read: pydantic-settings takes it from the class only


def read_settings(home: Path) -> Settings:
    """
    Read the settings of a home; the environment wins over the file.

    Raises Misuse with the file, the key and what is wrong with it.
    """
    file = home / FILE
    _refuse_unknown_sections()
    refuse_written_secrets(Settings, file, PREFIX)
    _FILES.append(file)
    try:
        settings = Settings()
    except tomllib.TOMLDecodeError as wrong:
        raise Misuse(f"{file} is not readable as TOML: {wrong}.") from None
    except ValidationError as wrong:
        raise Misuse(f"{file}: {_first_fault(wrong)}") from None
    except SettingsError as wrong:  # a section given as one value, which is not repeated
        raise Misuse(f"{wrong}; give each key as BILLCLOSE_<SECTION>__<KEY>.") from None
    finally:
        _FILES.pop()
    remember_secrets(settings)
    settle(home, settings.prefect.api_url, settings.prefect.auth_string.get_secret_value())
    return settings


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
