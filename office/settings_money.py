"""The sections about payments and cash receipting."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from domain.money import Money
from office.settings_section import Section
from rules.autopay import OnClosedDay, OverMaximum


class AutopaySettings(Section):
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
        10, ge=0, le=60, description="No declined payment is drawn later than so many days after."
    )
    return_attempts: int = Field(
        1,
        ge=0,
        le=2,
        description="How often a bank draw that was returned for want of money is drawn again.",
    )
    return_wait_banking_days: int = Field(
        5, ge=1, le=30, description="So many banking days after the return it is drawn again."
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


class PaymentsSettings(Section):
    gateway: Literal["sandbox", "stripe"] = Field(
        "sandbox",
        description="Where payments are collected: sandbox draws nobody's money; stripe.",
    )
    stripe_api_key: SecretStr = Field(
        SecretStr(""),
        description="As BILLCLOSE_PAYMENTS__STRIPE_API_KEY; never written here.",
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


class CashReceiptingSettings(Section):
    system: Literal["ledger", "rest", "file"] = Field(
        "ledger",
        description="Where payments are entered: ledger, a file of our own; rest, a web service; "
        "file, import files.",
    )
    url: str = Field("", description="rest: https://… of the service, without /receipts.")
    token: SecretStr = Field(
        SecretStr(""), description="As BILLCLOSE_CASH_RECEIPTING__TOKEN; never written here."
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
        description="Nothing is closed, drawn or reminded while a payment, reversal or fee waits "
        "for longer than that.",
    )

    @field_validator("url")
    @classmethod
    def check_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https://[!-~]+|http://(127\.0\.0\.1|localhost):\d+", value):
            raise ValueError("write an https:// address, or http://127.0.0.1:PORT for tests")
        return value
