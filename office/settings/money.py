"""The sections about payments, payment arrangements and cash receipting."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from domain.money import Money
from office.settings.addresses import ServiceUrl
from office.settings.section import SettingsSection
from rules.money.autopay import OnClosedDay, OverMaximum


class AutopaySettings(SettingsSection):
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
        10,
        ge=0,
        le=60,
        description="No payment that was declined, or never "
        "taken, is drawn later than so many days after.",
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

    return_fee_codes: tuple[str, ...] = Field(
        ("R01", "R09"), description="Codes of returns that cost the customer the fee, once a bill."
    )

    @field_validator("return_fee")
    @classmethod
    def check_fee(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) < Money(0):
            raise ValueError("write an amount of 0.00 or more")
        return value


class PaymentsSettings(SettingsSection):
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
    stripe_url: ServiceUrl = Field(
        "", description="Empty: Stripe itself. Or a server that stands in."
    )


class CashReceiptingSettings(SettingsSection):
    system: Literal["ledger", "rest", "file"] = Field(
        "ledger",
        description="Where payments are entered: ledger, a file of our own; rest, a web service; "
        "file, import files.",
    )
    url: ServiceUrl = Field("", description="rest: https://… of the service, without /receipts.")
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


class FeedSettings(SettingsSection):
    folder: str = Field(
        "", description="Where the billing system puts its feed, below the home or not."
    )
    url: ServiceUrl = Field(
        "", description="https://… of the billing system's feed, without /feed."
    )
    token: SecretStr = Field(
        SecretStr(""), description="As BILLCLOSE_FEED__TOKEN; never written here."
    )
    max_age: int = Field(
        0,
        ge=0,
        le=24 * 60,
        description="Hours after which balances are too old to draw or dun by; 0: not watched.",
    )
    when_stale: Literal["stop", "warn"] = Field(
        "stop", description="stop: nothing is drawn or dunned by old balances; warn: it is said."
    )


class LadderStepSettings(SettingsSection):
    name: str = Field(pattern=r"^past-due-[a-z0-9-]{1,30}$", examples=["past-due-final"])
    days_after_due: int = Field(ge=1, le=365)
    smallest_balance: str = "0.01"

    @field_validator("smallest_balance")
    @classmethod
    def check_balance(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) <= Money(0):
            raise ValueError("write an amount of 0.01 or more")
        return value


class RemindersSettings(SettingsSection):
    days_before_due: int = Field(3, ge=0, le=60, description="Payment-due mails: days before.")
    days_after_due: int = Field(1, ge=1, le=60, description="Past-due mails: days after.")
    time: str = Field(
        "06:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Local time of both.",
        examples=["06:00", "17:30"],
    )
    spare_autopay: bool = Field(False, description="No payment-due mail for autopay customers.")
    cut_off_days: int = Field(
        14, ge=0, le=365, description="A past-due mail is not sent later than so many days late."
    )
    ladder: tuple[LadderStepSettings, ...] = Field(
        (),
        description="Further past-due mails: name (past-due-2), days_after_due, smallest_balance.",
    )
    shield: bool = Field(
        True, description="No past-due mail to customers whom a failure of the office hurt."
    )
    shield_days: int = Field(
        10, ge=1, le=90, description="So long after that failure is mended it keeps them back."
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


class NoticesSettings(SettingsSection):
    receipts: bool = Field(True, description="A receipt for each payment drawn by autopay.")
    autopay_scheduled: Literal["varying", "all", "none"] = Field(
        "varying",
        description="Who hears of a draw where no e-bill tells it: varying (bank drafts of a "
        "changed amount), all, none.",
    )
    method_expiring_days: int = Field(
        30,
        ge=0,
        le=90,
        description="So many days before a card that autopay draws from is no good its owner is "
        "mailed, and warned on the pages; 0: no mail.",
    )


class BankSettings(SettingsSection):
    texts: tuple[str, ...] = Field(
        (),
        description="Words by which the bank's lines of our deposits are known, such as STRIPE; "
        "empty: every line.",
    )
    days: int = Field(
        3, ge=0, le=10, description="So many days a deposit may stand apart from its payout's day."
    )
    near_amount: str = Field(
        "5.00", description="A line that differs by so much at most is shown beside its payout."
    )
    csv_date: str = Field("Date", description="Heading of the day in the bank's CSV.")
    csv_days: Literal["month-first", "day-first", "iso"] = Field(
        "month-first", description="How the bank's CSV writes days; iso: 2026-11-17."
    )
    csv_amount: str = Field(
        "Amount", description="Heading of the signed amount; empty: credit and debit stand apart."
    )
    csv_credit: str = Field("", description="Heading of what came in, where it stands apart.")
    csv_debit: str = Field("", description="Heading of what went out, where it stands apart.")
    csv_text: str = Field("Description", description="Heading of the text; empty: there is none.")
    csv_reference: str = Field("", description="Heading of the reference; empty: there is none.")

    @field_validator("near_amount")
    @classmethod
    def check_near_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) < Money(0):
            raise ValueError("write an amount of 0.00 or more")
        return value


class ArrangementsSettings(SettingsSection):
    people: int = Field(
        1,
        ge=1,
        le=2,
        description="How many people of the office a plan needs: 1, or 2 (four eyes).",
    )
    grace_days: int = Field(
        3,
        ge=0,
        le=30,
        description="So many days after its day an installment is still in time; of plans that are "
        "made from now on.",
    )
    days_before: int = Field(
        3, ge=0, le=30, description="The reminder of an installment: days before it."
    )
    by_customers: bool = Field(
        False, description="Customers may make a plan for all that they owe, within these limits."
    )
    most_installments: int = Field(
        4, ge=2, le=12, description="Of a customer's own plan: so many installments at most."
    )
    most_days: int = Field(
        90, ge=7, le=366, description="The last of them comes so many days from now at most."
    )
    smallest_installment: str = Field(
        "25.00", description="None of them is smaller than this amount."
    )
    most_open: str = Field("500.00", description="Who owes more than this amount calls the office.")
    rest_days: int = Field(
        180,
        ge=0,
        le=730,
        description="So many days after an account's last plan was made customers make no other.",
    )

    @field_validator("smallest_installment", "most_open")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Amounts are written as text, because no float touches money."""
        if Money.parse(value) <= Money(0):
            raise ValueError("write an amount of 0.01 or more")
        return value
