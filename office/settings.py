"""The office's settings: `billclose.toml` in the home, each one also from the environment."""

from __future__ import annotations

import json
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

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

from domain.deliveries import PasswordField
from domain.failures import Misuse
from domain.money import Money
from mail.sizing import LARGEST
from mail.unsubscribing import TOKEN
from mail.verp import longest_base
from rules.autopay import OnClosedDay, OverMaximum

FILE = "billclose.toml"
PREFIX = "BILLCLOSE_"
LONGEST_URL = 600  # characters: headers that hold it must stay on one line


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
    per_domain_per_minute: int = Field(
        0,
        ge=0,
        description="The same for each domain of recipients, such as gmail.com; 0: no limit.",
    )
    messages_per_connection: int = Field(
        0, ge=0, description="A new connection after so many; 0: when the server wants one."
    )
    pipelining: bool = Field(
        True, description="Several commands at a time where the server announces it."
    )
    ca_file: str = Field(
        "",
        description="PEM file of the authorities that may vouch for the server; empty: the usual.",
    )
    token_command: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Instead of a password (OAuth 2): a program and its arguments, which prints "
        "an access token.",
    )
    token_seconds: int = Field(
        3000, ge=0, description="How long a token is used; a refused one is asked for anew."
    )
    dkim_domain: str = Field(
        "", description="Domain that signs the mails; empty: the mail server signs them, or nobody."
    )
    dkim_selector: str = Field("", description="Name of the key in DNS, below _domainkey.")
    dkim_key_file: str = Field("", description="PEM file of the RSA key; only the office reads it.")
    sender: str = Field(
        "billing@localhost", description="Address that the mails come from and bounce to."
    )
    reply_to: str = Field("", description="A mailbox that somebody reads, for answers.")
    bounces: str = Field(
        "",
        description="bounces@example.org: mails come back to bounces+SIGNED@example.org; "
        "empty: to smtp.sender.",
    )

    @field_validator("token_command", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Take a list, from the environment as JSON: no shell reads it."""
        if isinstance(value, str):
            value = json.loads(value) if value.strip().startswith("[") else value.split()
        return tuple(value) if isinstance(value, list) else value

    @field_validator("bounces")
    @classmethod
    def check_bounces(cls, value: str) -> str:
        """Leave room for the signature: a local part has at most 64 octets."""
        local_part, at, domain = value.rpartition("@")
        is_plain = re.fullmatch(r"[A-Za-z0-9._-]+", local_part) and at and domain
        if value and not is_plain:
            raise ValueError("write a plain address such as bounces@example.org, without a plus")
        if len(local_part) > longest_base():
            raise ValueError(f"what is before the @ may have {longest_base()} letters at most")
        return value


class BouncesSettings(_Section):
    source: str = Field(
        "",
        description="Where mails come back to: maildir:/path or imaps://host/folder; "
        "empty: nobody reads them.",
    )
    username: str = Field("", description="Name at the IMAP server.")
    password: SecretStr = Field(
        SecretStr(""), description="Better given as BILLCLOSE_BOUNCES__PASSWORD than written here."
    )

    @field_validator("source")
    @classmethod
    def check_source(cls, value: str) -> str:
        if value and not value.startswith(("maildir:/", "imaps://")):
            raise ValueError("write maildir:/path, imaps://host/folder or nothing")
        return value


class EbillSettings(_Section):
    landlords: bool = Field(True, description="Landlords and cosigners receive the e-bill too.")
    resend_in_doubt: bool = Field(
        True, description="Send again what a crash left in doubt; false: a person decides."
    )
    password: PasswordField = Field(
        PasswordField.NONE,
        description="What opens an e-mailed PDF: zip or phone; empty: it needs no password.",
    )
    largest_mb: int = Field(
        LARGEST,
        ge=1,
        le=150,
        description="The largest mail that leaves, in megabytes: what your server's SIZE allows.",
    )
    too_large: Literal["paper", "link"] = Field(
        "paper",
        description="What a bill does that is too large for a mail: paper, or link: the mail says "
        "where it is.",
    )
    link_url: str = Field(
        "",
        validate_default=True,
        description="Where your portal shows a bill: https://… with {account} and {period} in it.",
    )

    @field_validator("link_url")
    @classmethod
    def check_link(cls, value: str, field: ValidationInfo) -> str:
        if value and not (_is_web_address(value) and "{account}" in value):
            raise ValueError("write an https:// address with {account} in it")
        if field.data.get("too_large") == "link" and not value:
            raise ValueError("it is needed where ebill.too_large is link")
        return value


class CommunicationsSettings(_Section):
    unsubscribe_url: str = Field(
        "",
        description="Where a POST stops communications: https://… with {token} in it; it must not "
        "act on a GET.",
    )
    unsubscribe_mailto: str = Field(
        "", description="A mailbox that takes mails with the subject `unsubscribe TOKEN`."
    )

    @field_validator("unsubscribe_url")
    @classmethod
    def check_url(cls, value: str) -> str:
        if value and not (_is_web_address(value) and TOKEN in value):
            raise ValueError("write an https:// address with {token} in it")
        return value

    @field_validator("unsubscribe_mailto")
    @classmethod
    def check_mailto(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", value):
            raise ValueError("write one plain address")
        return value


def _is_web_address(text: str) -> bool:
    """Tell what can stand in a header: https, ASCII, without blanks, commas and brackets."""
    return (
        len(text) <= LONGEST_URL
        and bool(re.fullmatch(r"https://[!-~]+", text))
        and not (set(text) & set("<>,\"'"))
    )


class AutopaySettings(_Section):
    on_closed_day: OnClosedDay = Field(
        OnClosedDay.PREVIOUS, description="previous, next or same, for days without banking."
    )
    over_maximum: OverMaximum = Field(
        OverMaximum.SKIP, description="skip or cap, where the customer has not chosen."
    )
    attempts: int = Field(
        3, ge=1, le=3, description="How often a payment is drawn in all where money is missing."
    )
    last_retry_days_after_due: int = Field(
        10, ge=0, le=60, description="No payment is drawn again later than so many days after."
    )
    return_fee: str = Field(
        "0.00", description="What a returned payment costs the customer; 0.00: nothing."
    )

    @field_validator("return_fee")
    @classmethod
    def check_fee(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) < Money(0):
            raise ValueError("write an amount of 0.00 or more")
        return value


class PaymentsSettings(_Section):
    gateway: Literal["sandbox", "stripe"] = Field(
        "sandbox",
        description="Where payments are collected: sandbox draws nobody's money; stripe.",
    )
    stripe_api_key: SecretStr = Field(
        SecretStr(""),
        description="Better given as BILLCLOSE_PAYMENTS__STRIPE_API_KEY than written here.",
    )
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""), description="What Stripe signs its webhooks with; only for receiving them."
    )
    stripe_url: str = Field("", description="Empty: Stripe itself. Or a server that stands in.")

    @field_validator("stripe_url")
    @classmethod
    def check_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https://[!-~]+|http://(127\.0\.0\.1|localhost):\d+", value):
            raise ValueError("write an https:// address, or http://127.0.0.1:PORT for tests")
        return value


class CashReceiptingSettings(_Section):
    system: Literal["ledger", "rest", "file"] = Field(
        "ledger",
        description="Where payments are entered: ledger, a file of our own; rest, a web service; "
        "file, import files.",
    )
    url: str = Field("", description="rest: https://… of the service, without /receipts.")
    token: SecretStr = Field(
        SecretStr(""), description="Better given as BILLCLOSE_CASH_RECEIPTING__TOKEN than here."
    )
    keeps_keys: bool = Field(
        True, description="rest: a key that comes twice is booked once; false: it is waited for."
    )
    longest_in_flight_seconds: int = Field(
        300, ge=0, description="rest: so long a posting without an answer may still be booked."
    )
    folder: str = Field(
        "cash-receipting", description="file: where import files are put, below the home or not."
    )
    layout: str = Field("", description="file: a TOML file with its columns; empty: plain CSV.")
    stuck_after_minutes: int = Field(
        60,
        ge=1,
        description="Nothing is closed, drawn or reminded while a payment waits longer than that.",
    )

    @field_validator("url")
    @classmethod
    def check_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https://[!-~]+|http://(127\.0\.0\.1|localhost):\d+", value):
            raise ValueError("write an https:// address, or http://127.0.0.1:PORT for tests")
        return value


class AlertsSettings(_Section):
    to: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Who is told when a service falls silent: addresses of the office."
    )

    @field_validator("to", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Take a list, or from the environment JSON or addresses with commas between them."""
        if isinstance(value, str):
            is_list = value.strip().startswith("[")
            value = json.loads(value) if is_list else [one.strip() for one in value.split(",")]
        return tuple(one for one in value if one) if isinstance(value, list | tuple) else value

    @field_validator("to")
    @classmethod
    def check_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", address):
                raise ValueError("write plain addresses such as ann@example.org")
        return value


class LadderStepSettings(_Section):
    name: str = Field(pattern=r"^past-due-[a-z0-9-]{1,30}$")
    days_after_due: int = Field(ge=1, le=365)
    smallest_balance: str = "0.01"

    @field_validator("smallest_balance")
    @classmethod
    def check_balance(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) <= Money(0):
            raise ValueError("write an amount of 0.01 or more")
        return value


class RemindersSettings(_Section):
    days_before_due: int = Field(3, ge=0, le=60, description="Payment-due mails: days before.")
    days_after_due: int = Field(1, ge=1, le=60, description="Past-due mails: days after.")
    time: str = Field(
        "06:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time of both."
    )
    spare_autopay: bool = Field(False, description="No payment-due mail for autopay customers.")
    cut_off_days: int = Field(
        14, ge=0, le=365, description="A past-due mail is not sent later than so many days late."
    )
    ladder: tuple[LadderStepSettings, ...] = Field(
        (),
        description="Further past-due mails: name (past-due-2), days_after_due, smallest_balance.",
    )

    @field_validator("ladder")
    @classmethod
    def check_ladder(
        cls, value: tuple[LadderStepSettings, ...], field: ValidationInfo
    ) -> tuple[LadderStepSettings, ...]:
        """Each step comes on a day of its own, after the first past-due mail."""
        days = [step.days_after_due for step in value]
        if len({step.name for step in value}) < len(value) or len(set(days)) < len(days):
            raise ValueError("each step needs a name and a day of its own")
        if days and min(days) <= field.data.get("days_after_due", 0):
            raise ValueError("its steps come after reminders.days_after_due")
        return value


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
    ocr: bool = Field(
        False, description="Read pages that are only a picture; needs the program tesseract."
    )
    read_back_every: int = Field(
        1, ge=1, description="1: every copy is read back before it is filed; 10: each tenth."
    )
    audit_every: int = Field(
        64, ge=1, description="64: each 64th copy has the full audit, at least; 1: every copy."
    )

    @field_validator("ocr")
    @classmethod
    def check_program(cls, value: bool) -> bool:
        """Say before anything is done that pages cannot be read: raises Misuse."""
        if value:
            from splitter.ocr_program import require_tesseract

            require_tesseract()
        return value


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
    bounces: BouncesSettings = BouncesSettings()
    ebill: EbillSettings = EbillSettings()
    communications: CommunicationsSettings = CommunicationsSettings()
    autopay: AutopaySettings = AutopaySettings()
    payments: PaymentsSettings = PaymentsSettings()
    cash_receipting: CashReceiptingSettings = CashReceiptingSettings()
    alerts: AlertsSettings = AlertsSettings()
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
