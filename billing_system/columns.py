"""The tables of a billing export and their columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from billing_system import cells
from billing_system.cells import Converter, code_up_to, remembered, text_up_to
from billing_system.port import Cosigner, Enrollment, PaymentMethod, PortalLink, PortalUser
from domain.accounts import Account, AccountStatus
from domain.movements import MovementKind, Movements
from domain.payments import MethodKind


class Secrecy(StrEnum):
    """How closely a column's cells are looked at for card and bank numbers."""

    TEXT = "text"
    TOKEN = "token"  # noqa: S105 - a kind of column
    NONE = "none"  # account numbers are numbers by right


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ours: how its cells are read, and whether an export may leave it out."""

    name: str
    convert: Converter
    optional: bool = False
    secrecy: Secrecy = Secrecy.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file; `make` takes the columns' values in their order, of one row or of some."""

    name: str
    columns: tuple[Column, ...]
    make: Callable[..., Any]
    unread: tuple[str, ...] = ()  # columns of the contract that nothing is made of yet

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


class EnrollmentStatus(StrEnum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


_long = text_up_to(4000)
_service = remembered(text_up_to(100), most=1_000)  # texts that many rows repeat
_description = remembered(_long, most=1_000)
_reference = text_up_to(100)  # a receipt or confirmation number: each row has its own
_town = remembered(_long, most=1_000)
_zip = remembered(text_up_to(20), most=1_000)
_mailbox = code_up_to(320)
_optional_mailbox = code_up_to(320, required=False)
_enrollment_status = cells.one_of(EnrollmentStatus, {"canceled": EnrollmentStatus.CANCELLED})
_ACCOUNT_NUMBER = Column("account_number", cells.to_account_number, secrecy=Secrecy.NONE)


def _is_active(cell: str) -> bool:
    return _enrollment_status(cell) is EnrollmentStatus.ACTIVE


ACCOUNTS = Table(
    "accounts",
    (
        _ACCOUNT_NUMBER,
        Column("name", _long),
        Column("last_name", _long),
        Column("service_address", _long),
        Column("mailing_address", _long),
        Column("city", _town),
        Column("state", _town),
        Column("zip", _zip),
        Column("phone", _long, optional=True),
        Column("email", _long, optional=True),
        Column("ebill", cells.to_flag),
        Column("send_paper", cells.to_flag),
        Column("status", cells.one_of(AccountStatus)),
        Column("opening_balance", cells.to_money),
        Column("closing_balance", cells.to_money),
        Column("equal_pay_amount", cells.to_optional_money, optional=True),
        Column("direct_pay", cells.to_flag),
        Column("block_ach", cells.to_flag),
        Column("block_card", cells.to_flag),
        Column("cosigner_id", code_up_to(64, required=False), optional=True),
    ),
    Account,
    unread=("district", "deposit_held"),
)
TRANSACTIONS = Table(
    "transactions",
    (
        _ACCOUNT_NUMBER,
        Column("date", cells.to_date),
        Column("service", _service),
        Column("description", _description),
        Column("type", cells.one_of(MovementKind)),
        Column("amount", cells.to_money),
        Column("usage", cells.to_usage, optional=True),
        Column("reference", _reference, optional=True),
    ),
    Movements,
    unread=(
        *("unit", "days"),
        *("meter", "read_type", "previous_read", "current_read", "rate_code"),
    ),
)
PORTAL_USERS = Table("portal_users", (Column("email", _mailbox), Column("name", _long)), PortalUser)
PORTAL_LINKS = Table(
    "portal_links",
    (Column("portal_user", _mailbox), _ACCOUNT_NUMBER, Column("paperless", cells.to_flag)),
    PortalLink,
)
COSIGNERS = Table(
    "cosigners",
    (
        Column("cosigner_id", code_up_to(64)),
        Column("name", _long),
        Column("portal_user", _optional_mailbox, optional=True),
    ),
    Cosigner,
)
PAYMENT_METHODS = Table(
    "payment_methods",
    (
        Column("token", code_up_to(200), secrecy=Secrecy.TOKEN),
        Column("portal_user", _optional_mailbox, optional=True),
        Column("kind", cells.one_of(MethodKind)),
        Column("last4", cells.to_last4, secrecy=Secrecy.TOKEN),
    ),
    PaymentMethod,
)
AUTOPAY = Table(
    "autopay",
    (
        _ACCOUNT_NUMBER,
        Column("portal_user", _optional_mailbox, optional=True),
        Column("method_token", code_up_to(200), secrecy=Secrecy.TOKEN),
        Column("days_prior", cells.to_days_prior),
        Column("maximum", cells.to_optional_money, optional=True),
        Column("enrolled_on", cells.to_date),
        Column("status", _is_active),
    ),
    Enrollment,
)
REQUIRED = (ACCOUNTS, TRANSACTIONS)
TABLES = (*REQUIRED, PORTAL_USERS, PORTAL_LINKS, COSIGNERS, PAYMENT_METHODS, AUTOPAY)
