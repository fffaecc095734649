"""The sections about what customers pay by hand: fees, the cart, other payments, messages."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from domain.messages import find_wrong_link
from domain.money import ZERO, Money
from domain.payments import MethodKind
from identity.bot_check.port import BotCheckKind
from office.settings.addresses import ServiceUrl
from office.settings.section import SettingsSection
from rules.money.checkout import (
    MOST,
    FeeKind,
    FeeTable,
    NumberKind,
    OtherPayment,
    ServiceFee,
    parse_percent,
)


def _check_message(value: str) -> str:
    """Links of a message lead to the web or into the portal, and nowhere else."""
    if wrong := find_wrong_link(value):
        raise ValueError(f"the link to {wrong} must begin with https://, or with one /")
    return value


Message = Annotated[str, Field(max_length=2_000), AfterValidator(_check_message)]


def _check_percent(value: str) -> str:
    """Percentages are written as text, because no float touches money."""
    parse_percent(value)
    return value


def _check_amount(value: str) -> str:
    """Amounts are written as text, because no float touches money."""
    if Money.parse(value) < ZERO:
        raise ValueError("write an amount of 0.00 or more")
    return value


class FeeStepSettings(SettingsSection):
    """One step of a table of service fees (rule 194)."""

    kind: FeeKind = FeeKind.BILL
    method: MethodKind
    above: str = "0.00"
    percent: str = "0"
    fixed: str = "0.00"

    _percent = field_validator("percent")(_check_percent)
    _amounts = field_validator("above", "fixed")(_check_amount)

    def to_fee(self) -> ServiceFee:
        return ServiceFee(
            parse_percent(self.percent), Money.parse(self.fixed), Money.parse(self.above)
        )


class CheckoutSettings(SettingsSection):
    card_fee_percent: str = Field(
        "0", description="Service fee of paying by card: percent of the amount, as 2.95."
    )
    card_fee: str = Field("0.00", description="Service fee of paying by card: a fixed amount.")
    ach_fee_percent: str = Field("0", description="The same of paying from a bank account.")
    ach_fee: str = Field("0.00", description="The same of paying from a bank account.")
    fees: tuple[FeeStepSettings, ...] = Field(
        (),
        description="Tables of fees in their place: kind (bill, other), method (card, ach), above, "
        "percent, fixed.",
    )
    pay_ahead: bool = Field(
        False, description="Customers may pay more than is owed; the rest stays as a credit."
    )
    most: str = Field(
        "999999.99",
        description="So much is taken by one payment by hand at most, its service fee included.",
    )
    cart: bool = Field(
        False, description="Several accounts and other payments may be paid in one payment."
    )
    guests: bool = Field(False, description="Payments without a login.")
    guest_attempts: int = Field(
        6,
        ge=1,
        le=100,
        description="So many payments, declined ones too, and wrong account numbers a guest's "
        "network has in a day.",
    )

    _percents = field_validator("card_fee_percent", "ach_fee_percent")(_check_percent)
    _fixed = field_validator("card_fee", "ach_fee")(_check_amount)

    @field_validator("most")
    @classmethod
    def check_most(cls, value: str) -> str:
        """Return what can be drawn at once at a gateway."""
        if not ZERO < Money.parse(value) <= MOST:
            raise ValueError(f"write an amount above zero, and at most {MOST}")
        return value

    @field_validator("fees")
    @classmethod
    def check_fees(cls, value: tuple[FeeStepSettings, ...]) -> tuple[FeeStepSettings, ...]:
        """Of one kind and method each step begins at an amount of its own."""
        steps = sorted((one.kind, one.method, Money.parse(one.above).cents) for one in value)
        if any(one == other for one, other in pairwise(steps)):
            raise ValueError("two steps of one kind and method begin at the same amount")
        return value

    def fee_tables(self) -> FeeTable:
        """Return the steps by kind of payment and method; tables stand in simple fees' place."""
        simple = {
            MethodKind.CARD: (self.card_fee_percent, self.card_fee),
            MethodKind.ACH: (self.ach_fee_percent, self.ach_fee),
        }
        tables: dict[tuple[FeeKind, MethodKind], tuple[ServiceFee, ...]] = {
            (kind, method): (ServiceFee(parse_percent(percent), Money.parse(fixed)),)
            for kind in FeeKind
            for method, (percent, fixed) in simple.items()
        }
        listed: dict[tuple[FeeKind, MethodKind], tuple[ServiceFee, ...]] = {}
        for one in self.fees:
            key = (one.kind, one.method)
            listed[key] = (*listed.get(key, ()), one.to_fee())
        return tables | listed


class BotCheckSettings(SettingsSection):
    kind: BotCheckKind = Field(
        BotCheckKind.NONE,
        description="What a browser is asked before the pages of guests and at registering: none; "
        "altcha, a proof of work, and nobody else hears of it; turnstile, Cloudflare's.",
    )
    work: int = Field(
        100_000,
        ge=1_000,
        le=5_000_000,
        description="Of altcha: so many numbers are tried at most, half of them as a rule.",
    )
    site_key: str = Field("", max_length=100, description="Of turnstile: the site's public key.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="Of turnstile, as BILLCLOSE_BOT_CHECK__SECRET; never written here.",
    )
    url: ServiceUrl = Field(
        "", description="Of turnstile. Empty: Cloudflare itself. Or a server that stands in."
    )

    @model_validator(mode="after")
    def check_keys(self) -> BotCheckSettings:
        """Turnstile says no to whoever asks without its keys: nobody could pay."""
        if self.kind is BotCheckKind.TURNSTILE and not self.site_key:
            raise ValueError("kind turnstile needs site_key, and its secret in the environment")
        return self


class DistributionSettings(SettingsSection):
    """What can be paid besides bills (rules 191-193, 197, 198)."""

    code: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["dog-license"])
    name: str = Field(min_length=1, max_length=120)
    category: str = Field(min_length=1, max_length=80)
    number: NumberKind = NumberKind.NONE
    amount: str = ""
    require_comment: bool = False
    allow_online: bool = False
    allow_portal: bool = False
    allow_guests: bool = True

    @field_validator("amount")
    @classmethod
    def check_amount(cls, value: str) -> str:
        """Return the amount it always costs; empty where the payer says it."""
        if value and Money.parse(value) <= ZERO:
            raise ValueError("write an amount above zero, or nothing")
        return value

    def to_other_payment(self) -> OtherPayment:
        return OtherPayment(
            self.code,
            self.name,
            self.category,
            self.number,
            Money.parse(self.amount) if self.amount else None,
            self.require_comment,
            self.allow_guests,
        )


class OtherPaymentsSettings(SettingsSection):
    allow: bool = Field(False, description="Customers may pay for other things than bills.")
    require_comment: bool = Field(False, description="Each of them needs a comment.")
    permits: str = Field(
        "",
        description="A CSV file with a column `number`: the permits that can be paid for, below "
        "the home or not. Empty: any number.",
    )
    distributions: tuple[DistributionSettings, ...] = Field(
        (),
        description="What they are: code, name, category, number (none, customer, permit), amount, "
        "require_comment, allow_online, allow_portal, allow_guests.",
    )

    @model_validator(mode="after")
    def check_codes(self) -> OtherPaymentsSettings:
        """Each has a code of its own: it stands in cash receipting."""
        codes = [one.code for one in self.distributions]
        if len(set(codes)) < len(codes):
            raise ValueError("two distributions have the same code")
        return self

    @property
    def offered(self) -> list[OtherPayment]:
        """Return what customers can pay in the portal: both boxes are checked (rules 197, 198)."""
        if not self.allow:
            return []
        return [
            one.to_other_payment()
            for one in self.distributions
            if one.allow_online and one.allow_portal
        ]


class MessagesSettings(SettingsSection):
    """
    Sentences of the office's own on the pages (rules 71, 199, 200, 205).

    **Bold**, *italic* and [a link](https://…) may stand in them, and lines; nothing else does.
    """

    navigation: str = Field("", max_length=40, description="What other payments are called.")
    login_top: Message = Field("", description="Above the sign-in.")
    login_bottom: Message = Field("", description="Below the sign-in.")
    landing: Message = Field("", description="On the home page.")
    maintenance: Message = Field(
        "", description="In red on every page: when the portal will be away."
    )
    payment: Message = Field("", description="On the pages where a payment is made.")
    payment_complete: Message = Field("", description="On the page of a payment that was made.")
    autopay: Message = Field("", description="On the autopay page, as the service fee's rates.")
    other_payments: Message = Field("", description="Where other payments are chosen.")
    cart: Message = Field("", description="On the cart.")


class SpanishMessagesSettings(SettingsSection):
    """The same for whoever reads Spanish; what is empty is said in English."""

    navigation: str = Field("", max_length=40, description="In Spanish; empty: the English one.")
    login_top: Message = Field("", description="In Spanish; empty: the English one.")
    login_bottom: Message = Field("", description="In Spanish; empty: the English one.")
    landing: Message = Field("", description="In Spanish; empty: the English one.")
    maintenance: Message = Field("", description="In Spanish; empty: the English one.")
    payment: Message = Field("", description="In Spanish; empty: the English one.")
    payment_complete: Message = Field("", description="In Spanish; empty: the English one.")
    autopay: Message = Field("", description="In Spanish; empty: the English one.")
    other_payments: Message = Field("", description="In Spanish; empty: the English one.")
    cart: Message = Field("", description="In Spanish; empty: the English one.")
