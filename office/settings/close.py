"""The sections about the office itself and the close of a period."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from domain.money import Money
from office.settings.addresses import OpenUrl, linking
from office.settings.section import SettingsSection, split_list
from rules.mail.closed_days import MailOnClosedDay


class OutsortSettings(SettingsSection):
    days_to_pay: int = Field(
        10,
        ge=1,
        le=90,
        description="A bill that was held back is due so many days after its release, at least.",
    )


class UtilitySettings(SettingsSection):
    name: str = Field(
        "",
        max_length=200,
        description="Whose exports this home takes; empty: those of the utility that came first.",
    )
    language: str = Field(
        "en-US",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$",
        description="The language of bills whose bulk file does not say it, for whoever has them "
        "read aloud.",
    )
    phone: str = Field(
        "", max_length=60, description="The office's phone, as customers read it in mails."
    )
    address: str = Field(
        "", max_length=200, description="The office's address, in one line, for the foot of mails."
    )
    hours: str = Field(
        "", max_length=100, description="When the office is open: `Monday to Friday, 8 to 5`."
    )
    holidays: Annotated[str | tuple[date, ...], NoDecode] = Field(
        "US",
        description="Holiday calendar of the office: US, a state such as US-CO, none, "
        "or a list of dates.",
    )
    closed_days: Annotated[tuple[date, ...], NoDecode] = Field(
        (), description="The office's own closed days, as dates."
    )
    mail_on_closed_day: MailOnClosedDay = Field(
        MailOnClosedDay.SAME,
        description="Where reminders and e-bills go that fall on a day on which the office is "
        "closed: same, next (working day) or previous.",
    )

    @field_validator("closed_days", "holidays", mode="before")
    @classmethod
    def split(cls, value: Any, field: ValidationInfo) -> Any:
        """Take a list, or from the environment JSON or dates with commas between them."""
        is_calendar = field.field_name == "holidays"
        text = value.strip() if isinstance(value, str) else "["
        if is_calendar and not (text.startswith("[") or text[:4].isdigit()):
            return value  # the name of a calendar
        value = split_list(value)
        if is_calendar and isinstance(value, list):  # else a wrong date would be called no text
            try:
                return tuple(date.fromisoformat(str(day)) for day in value)
            except ValueError:
                raise ValueError("write dates, such as 2026-11-26, or a calendar: US") from None
        return value


OUR_SCHEME = "postgresql+psycopg"


class DatabaseSettings(SettingsSection):
    url: str = Field(
        "", repr=False, description="Empty: SQLite in the home. Or postgresql+psycopg://…"
    )
    pool_size: int = Field(
        5, ge=1, le=100, description="PostgreSQL: connections that a process keeps open."
    )
    pool_overflow: int = Field(
        10, ge=0, le=100, description="PostgreSQL: how many more it may open for a moment."
    )
    pool_timeout: int = Field(
        30, ge=1, le=600, description="PostgreSQL: seconds that a thread waits for a connection."
    )
    connect_timeout: int = Field(
        10, ge=2, le=300, description="PostgreSQL: seconds that a silent server is waited for."
    )

    @field_validator("url")
    @classmethod
    def check_driver(cls, value: str) -> str:
        """Take PostgreSQL by whatever name its URLs are passed around; refuse other drivers."""
        scheme, mark, rest = value.partition("://")
        if not mark or scheme in ("sqlite", OUR_SCHEME):
            return value
        if scheme in ("postgresql", "postgres", "postgresql+psycopg2"):
            return f"{OUR_SCHEME}://{rest}"
        raise ValueError(f"write {OUR_SCHEME}://host/name or sqlite:///file, not {scheme}://")


class UndoSettings(SettingsSection):
    days: int = Field(
        5,
        ge=1,
        le=31,
        description="A close can be taken back on so many days, its own day being the first.",
    )


class BillsSettings(SettingsSection):
    store: str = Field("bills", description="A folder below the home, or any fsspec URL.")


class DocumentsSettings(SettingsSection):
    tags: Literal["keep", "drop"] = Field(
        "keep",
        description="The tags of a tagged bulk file, by which screen readers read a bill: keep "
        "those of its own pages, some milliseconds a bill; drop leaves them out.",
    )


class ChecksSettings(SettingsSection):
    usage_factor: float = Field(
        2.0, gt=1, description="Usage above this many times what is usual is an outlier."
    )
    amount_factor: float = Field(2.0, gt=1, description="The same for the amount due.")
    large_bill: str = Field("2500.00", description="A bill above this gets a second look.")
    adjustment_limit: str = Field("500.00", description="The same for an adjustment.")
    notice_days: int = Field(10, ge=0, description="Days between notice and a changed ACH draw.")
    vanished_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="So much of the mandates, links, methods, addresses or equal-pay amounts may "
        "be gone without a word.",
    )
    vanished_blocking_share: float = Field(
        0.5, gt=0, le=1, description="Where more of them is gone, the close is refused; 1: never."
    )
    posting_days: int = Field(
        3, ge=0, le=30, description="Days a payment may take until the billing system has it."
    )
    own: dict[str, dict[str, Any]] = Field(
        {},
        description="Of single checks, each in a table of its own: `[checks.usage-outlier]` with "
        "severity (block, warn, fold, off) and limits; `billclose checks list` names them.",
    )

    @model_validator(mode="before")
    @classmethod
    def gather(cls, value: Any) -> Any:
        """Take a table with a check's name, `[checks.usage-outlier]`, for what is set of it."""
        if not isinstance(value, dict):
            return value
        tables = {key: one for key, one in value.items() if isinstance(one, dict) and key != "own"}
        rest = {key: one for key, one in value.items() if key not in tables}
        return rest | {"own": dict(rest.get("own") or {}) | tables} if tables else value

    @field_validator("large_bill", "adjustment_limit")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        Money.parse(value)
        return value


class SplitterSettings(SettingsSection):
    processes: int = Field(0, ge=0, description="0: one a core.")
    ocr: bool = Field(
        False, description="Read pages that are only a picture; needs the program tesseract."
    )
    doubted_pages: Literal["hold", "report"] = Field(
        "hold",
        description="What becomes of a page that something speaks against: hold leaves it to a "
        "person; report keeps it in the bill before it and names it by the check page-doubted, "
        "for an office's first file.",
    )
    read_back_every: int = Field(
        1, ge=1, description="1: every copy is read back before it is filed; 10: each tenth."
    )
    audit_every: int = Field(
        64,
        ge=1,
        description="64: each 64th copy has the full audit and is drawn and compared; 1: all.",
    )

    @field_validator("ocr")
    @classmethod
    def check_program(cls, value: bool) -> bool:
        """Say before anything is done that pages cannot be read: raises Misuse."""
        if value:
            from splitter.reading.tesseract import require_tesseract

            require_tesseract()
        return value


class HealthSettings(SettingsSection):
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
    clock_url: OpenUrl = Field(
        "", description="A web server that is asked for the time too: https://… or http://…."
    )


class ClockSettings(SettingsSection):
    rehearsal: bool = Field(
        False,
        description="true: a home for rehearsals and tests, in which --as-of acts; never an "
        "office's own.",
    )


class CalendarSettings(SettingsSection):
    due_day: int = Field(
        0,
        ge=0,
        le=31,
        description="Day of the month after the period by which bills are due; 0: as before.",
    )
    least_days_to_due: int = Field(
        14, ge=0, le=60, description="A close nearer to the due date than this is marked."
    )


class ExportsSettings(SettingsSection):
    link_url: Annotated[str, linking("{token}")] = Field(
        "",
        description="Where an export is fetched: https://… with {token} in it; empty: at web.url.",
    )
    hours: int = Field(72, ge=1, le=720, description="So long the link of an export is good.")


class WebSettings(SettingsSection):
    url: str = Field(
        "",
        description="Address of the portal as customers type it, https://…; mails link to it. "
        "Empty: where `billclose web` listens.",
    )
    serves: Annotated[
        tuple[Literal["customers", "office", "csr"], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        ("customers", "office", "csr"),
        description="Which pages are answered here: customers, office, csr; any of them.",
    )
    proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = Field(
        ("127.0.0.1", "::1"),
        description="Addresses or networks (10.0.8.0/24) of your reverse proxies: what they alone "
        "say in X-Forwarded-For is believed to be the visitor's address.",
    )
    staff_totp: bool | Literal["https"] = Field(
        "https",
        description="Staff give a six-digit code of their phone after the password: true, false, "
        "or https: where web.url is https://…, and not in a trial on this machine.",
    )
    health_token: SecretStr = Field(
        SecretStr(""),
        description="As BILLCLOSE_WEB__HEALTH_TOKEN; never written here. Who knows it may read "
        "/health; empty: this machine alone.",
    )

    @field_validator("proxies")
    @classmethod
    def _addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for written in proxies:
            try:
                ip_network(written)
            except ValueError:
                raise ValueError(
                    f"{written!r} is no address such as 10.0.8.5 and no network such as 10.0.8.0/24"
                ) from None
        return proxies

    @property
    def is_secure(self) -> bool:
        """Tell whether browsers reach the pages through TLS."""
        return self.url.startswith("https://")

    @property
    def asks_staff_for_codes(self) -> bool:
        return self.is_secure if self.staff_totp == "https" else self.staff_totp


class PortalSettings(SettingsSection):
    invites_new: bool = Field(
        False,
        description="Accounts that appear first with a close are invited to the portal by e-mail; "
        "the others are invited from the console, one by one or many at once.",
    )


class PrefectSettings(SettingsSection):
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

    keep_days: int = Field(
        400,
        ge=2,
        le=3650,
        description="So many days our own Prefect server keeps ended runs and their artifacts.",
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


class LoggingSettings(SettingsSection):
    format: Literal["text", "json"] = Field(
        "text", description="How log lines are written: text, or json: one object a line."
    )


LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WorkersSettings(SettingsSection):
    task_runner: Literal["threads", "claims", "dask"] = Field(
        "threads",
        description="threads: this machine splits alone; claims: with every machine on which "
        "`billclose work` runs; dask: with the workers of a Dask scheduler.",
    )
    address: str = Field(
        "",
        description="The Dask scheduler, such as tls://scheduler.internal:8786; "
        "empty: a cluster of this machine's own.",
    )
    batch_bills: int = Field(
        1000, ge=1, le=50_000, description="Bills that a machine takes at a time."
    )

    @field_validator("address")
    @classmethod
    def check_address(cls, value: str) -> str:
        """Whoever reaches a scheduler can run anything on its workers, so it must be tls."""
        if not value:
            return value
        address = urlsplit(value)
        if address.scheme not in ("tcp", "tls") or not address.hostname or address.port is None:
            raise ValueError("write tls://host:port, or tcp://127.0.0.1:port on one machine")
        if address.scheme == "tcp" and address.hostname not in LOOPBACK:
            raise ValueError(
                "a scheduler on another machine must be tls://: "
                "whoever reaches it otherwise can run anything on the workers"
            )
        return value
