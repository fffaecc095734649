"""The sections about mail."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from domain.deliveries import PasswordField
from mail.message.size_limit import LARGEST
from office.settings.addresses import Mailbox, linking
from office.settings.section import SettingsSection


class SmtpSettings(SettingsSection):
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
    processes: int = Field(
        0,
        ge=0,
        le=64,
        description="Processes that send many mails at a time; 0: one a core, four at most.",
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
    refusals_in_a_row: int = Field(
        10,
        ge=0,
        description="So many mails refused for one reason, one after the other, stop the sending: "
        "it is the mail server and not the mailboxes. 0: never.",
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
        from mail.message.addresses import longest_base

        local_part, at, domain = value.rpartition("@")
        is_plain = re.fullmatch(r"[A-Za-z0-9._-]+", local_part) and at and domain
        if value and not is_plain:
            raise ValueError("write a plain address such as bounces@example.org, without a plus")
        if len(local_part) > longest_base():
            raise ValueError(f"what is before the @ may have {longest_base()} letters at most")
        return value


class BouncesSettings(SettingsSection):
    source: str = Field(
        "",
        description="Where mails come back to: maildir:/path or imaps://host/folder; "
        "empty: nobody reads them.",
    )
    username: str = Field("", description="Name at the IMAP server.")
    password: SecretStr = Field(
        SecretStr(""), description="As BILLCLOSE_BOUNCES__PASSWORD; never written here."
    )

    @field_validator("source")
    @classmethod
    def check_source(cls, value: str) -> str:
        if value and not value.startswith(("maildir:/", "imaps://")):
            raise ValueError("write maildir:/path, imaps://host/folder or nothing")
        return value


class EbillSettings(SettingsSection):
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
    link_url: Annotated[str, linking("{account}")] = Field(
        "",
        validate_default=True,
        description="Where your portal shows a bill: https://… with {account} and {period} in it.",
    )

    @field_validator("link_url")
    @classmethod
    def check_link(cls, value: str, field: ValidationInfo) -> str:
        if field.data.get("too_large") == "link" and not value:
            raise ValueError("it is needed where ebill.too_large is link")
        return value


class CommunicationsSettings(SettingsSection):
    unsubscribe_url: Annotated[str, linking("{token}")] = Field(
        "",
        description="Where a POST stops communications: https://… with {token} in it; it must not "
        "act on a GET.",
    )
    link_url: Annotated[str, linking("{number}")] = Field(
        "",
        description="Where your portal shows a communication: https://… with {number} in it; "
        "empty: at web.url, and without that mails link to none but those added with --link.",
    )
    largest_mb: int = Field(
        10, ge=1, le=150, description="The largest PDF posted or attached, in megabytes."
    )
    messages_per_minute: int = Field(
        0, ge=0, description="Of mass mails, beside smtp.messages_per_minute; 0: no own limit."
    )
    unsubscribe_mailto: Mailbox = Field(
        "", description="A mailbox that takes mails with the subject `unsubscribe TOKEN`."
    )


class AlertsSettings(SettingsSection):
    to: Annotated[tuple[Mailbox, ...], NoDecode] = Field(
        (), description="Who is told when a service falls silent: addresses of the office."
    )

    urls: SecretStr = Field(
        SecretStr(""),
        description="As BILLCLOSE_ALERTS__URLS: Slack, Teams, PagerDuty, webhooks, written as for "
        "Apprise, spaces between; try them with `billclose alerts test`.",
    )
    ping_url: SecretStr = Field(
        SecretStr(""),
        description="As BILLCLOSE_ALERTS__PING_URL: asked after each round, with /fail after one "
        "that failed; who is not asked for long tells that this machine is off.",
    )

    @field_validator("ping_url")
    @classmethod
    def check_ping(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not re.fullmatch(r"(https?://|prefect-secret:)\S+", text):
            raise ValueError("write an https:// address")
        return value

    @field_validator("to", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Take a list, or from the environment JSON or addresses with commas between them."""
        if isinstance(value, str):
            is_list = value.strip().startswith("[")
            value = json.loads(value) if is_list else [one.strip() for one in value.split(",")]
        return tuple(one for one in value if one) if isinstance(value, list | tuple) else value
