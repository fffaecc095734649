"""The office's settings: `billclose.toml` in the home, each one also from the environment."""

from __future__ import annotations

import json
import os
import tomllib
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
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
from office.secrets.prefect_access import choose_access
from office.secrets.redaction import SECRET, without_secrets
from office.secrets.sources import (
    from_files,
    refuse_written_secrets,
    remember_secrets,
    without_files,
)
from office.settings.approval import ApprovalSettings, ChecklistSettings
from office.settings.checkout import (
    BotCheckSettings,
    CheckoutSettings,
    MessagesSettings,
    OtherPaymentsSettings,
    SpanishMessagesSettings,
)
from office.settings.close import (
    BillsSettings,
    CalendarSettings,
    ChecksSettings,
    ClockSettings,
    DatabaseSettings,
    DocumentsSettings,
    ExportsSettings,
    HealthSettings,
    LoggingSettings,
    OutsortSettings,
    PortalSettings,
    PrefectSettings,
    SplitterSettings,
    UndoSettings,
    UtilitySettings,
    WebSettings,
    WorkersSettings,
)
from office.settings.faults import say_first_fault, say_unreadable
from office.settings.mail import (
    AlertsSettings,
    BouncesSettings,
    CommunicationsSettings,
    EbillSettings,
    SmtpSettings,
)
from office.settings.money import (
    ArrangementsSettings,
    AutopaySettings,
    BankSettings,
    CashReceiptingSettings,
    FeedSettings,
    NoticesSettings,
    PaymentsSettings,
    RemindersSettings,
)
from office.settings.paper import PaperSettings
from office.settings.sign_in import OidcSettings
from office.settings.texts import TextsSettings
from office.settings.theme import ThemeSettings

FILE = "billclose.toml"
PREFIX = "BILLCLOSE_"


# Which file is being read. The library knows it by a class: one for each reading takes longer than
# the reading.
_file_read: ContextVar[Path | None] = ContextVar("the settings' file", default=None)


class Settings(BaseSettings):
    """All settings; unknown keys are refused, so that a typing mistake does not go unnoticed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    utility: UtilitySettings = UtilitySettings()
    database: DatabaseSettings = DatabaseSettings()
    bills: BillsSettings = BillsSettings()
    documents: DocumentsSettings = DocumentsSettings()
    paper: PaperSettings = PaperSettings()
    smtp: SmtpSettings = SmtpSettings()
    bounces: BouncesSettings = BouncesSettings()
    ebill: EbillSettings = EbillSettings()
    communications: CommunicationsSettings = CommunicationsSettings()
    autopay: AutopaySettings = AutopaySettings()
    payments: PaymentsSettings = PaymentsSettings()
    checkout: CheckoutSettings = CheckoutSettings()
    bot_check: BotCheckSettings = BotCheckSettings()
    other_payments: OtherPaymentsSettings = OtherPaymentsSettings()
    messages: MessagesSettings = MessagesSettings()
    messages_es: SpanishMessagesSettings = SpanishMessagesSettings()
    theme: ThemeSettings = ThemeSettings()
    cash_receipting: CashReceiptingSettings = CashReceiptingSettings()
    feed: FeedSettings = FeedSettings()
    bank: BankSettings = BankSettings()
    alerts: AlertsSettings = AlertsSettings()
    reminders: RemindersSettings = RemindersSettings()
    notices: NoticesSettings = NoticesSettings()
    arrangements: ArrangementsSettings = ArrangementsSettings()
    texts: TextsSettings = TextsSettings()
    checks: ChecksSettings = ChecksSettings()
    approval: ApprovalSettings = ApprovalSettings()
    checklist: ChecklistSettings = ChecklistSettings()
    undo: UndoSettings = UndoSettings()
    outsort: OutsortSettings = OutsortSettings()
    splitter: SplitterSettings = SplitterSettings()
    prefect: PrefectSettings = PrefectSettings()
    logging: LoggingSettings = LoggingSettings()
    workers: WorkersSettings = WorkersSettings()
    health: HealthSettings = HealthSettings()
    calendar: CalendarSettings = CalendarSettings()
    clock: ClockSettings = ClockSettings()
    exports: ExportsSettings = ExportsSettings()
    web: WebSettings = WebSettings()
    portal: PortalSettings = PortalSettings()
    oidc: OidcSettings = OidcSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = _file_read.get()
        toml = TomlConfigSettingsSource(settings_cls, file) if file else None
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = without_files(settings_cls, env_settings.env_vars, PREFIX)
        files = InitSettingsSource(settings_cls, dict(from_files(settings_cls, PREFIX)))
        return (init_settings, env_settings, files, *((toml,) if toml else ()))


def read_settings(home: Path) -> Settings:
    """
    Read the settings of a home; the environment wins over the file.

    Nothing of this process is changed by it. Raises Misuse with the file, the key and what is
    wrong with it.
    """
    return settings_of_file(home / FILE)


def settings_of_file(file: Path) -> Settings:
    """Read settings from a file and the environment, as `read_settings` does; raises Misuse."""
    _refuse_unknown_sections()
    refuse_written_secrets(Settings, file, PREFIX)
    try:
        found = _of_file(file)
    except tomllib.TOMLDecodeError as wrong:
        raise Misuse(f"{file} is not readable as TOML: {wrong}.") from None
    except ValidationError as wrong:
        raise Misuse(say_first_fault(Settings, PREFIX, file, wrong)) from None
    except SettingsError:  # its words name neither; what the variable holds is not repeated
        raise Misuse(say_unreadable(Settings, PREFIX)) from None
    return Settings.model_construct(found.model_fields_set, **dict(found))


def open_settings(home: Path) -> Settings:
    """Read the settings of a home that this process works in, and keep their secrets unsaid."""
    settings = read_settings(home)
    remember_secrets(settings)
    choose_access(home, settings.prefect.api_url, settings.prefect.auth_string.get_secret_value())
    return settings


def _of_file(file: Path) -> Settings:
    token = _file_read.set(file)
    try:
        return Settings()
    finally:
        _file_read.reset(token)


def _refuse_unknown_sections() -> None:
    """Look at what pydantic-settings passes over: sections that only the environment has."""
    for name in os.environ:
        section, separator, _ = name.lower().removeprefix(PREFIX.lower()).partition("__")
        if name.upper().startswith(PREFIX) and separator and section not in Settings.model_fields:
            raise Misuse(f"There is no setting {name}; there is no section {section}.")
        if name.upper().startswith(PREFIX) and not separator:
            _refuse_single_underscore(name, section)


def _refuse_single_underscore(name: str, rest: str) -> None:
    """Refuse what is nearly a setting, and would be passed over: BILLCLOSE_SMTP_URL."""
    for section, field in Settings.model_fields.items():
        key = rest.removeprefix(f"{section}_")
        model: type[BaseModel] = field.annotation  # type: ignore[assignment]
        if key != rest and key in model.model_fields:
            meant = f"{PREFIX}{section}__{key}".upper()
            raise Misuse(f"There is no setting {name}; did you mean {meant}?")


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
            lines.append(f"#{key} = {default_as_toml(setting)}")
    return "\n".join(lines) + "\n"


def default_as_toml(setting: FieldInfo) -> str:
    """Return how a setting's default is written in the file."""
    return _as_toml(setting.default)


def _as_toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value) if isinstance(value, str) else str(value)


COMMANDS = ("token_command",)  # what stands behind the program may be a secret


def settings_in_force(settings: Settings) -> dict[str, Any]:
    """Return every setting by section and key; of a secret only whether it is set."""
    return {name: _shown(name, getattr(settings, name)) for name in Settings.model_fields}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {key: _shown(key, getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, SecretStr):
        return SECRET if value.get_secret_value() else ""
    if name in COMMANDS and isinstance(value, list | tuple):
        return [*value[:1], *(SECRET for _ in value[1:])]
    if isinstance(value, list | tuple):
        return [_shown(name, one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(str(value))
