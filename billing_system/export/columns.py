"""The tables of a billing export and their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from billing_system.export import cells
from billing_system.export.cells import (
    ColumnConverter,
    Converter,
    cached_converter,
    code_up_to,
    text_up_to,
)
from billing_system.port import Cosigner, Enrollment, ExportedPortalUser, PaymentMethod, PortalLink
from domain.accounts import Account, AccountStatus
from domain.movements import MovementKind, Movements
from domain.payments import MethodKind


class Secrecy(StrEnum):
    """How closely a column's cells are looked at for card and bank numbers."""

    TEXT = "text"
    TOKEN = "token"  # noqa: S105 - a kind of column
    NONE = "none"  # account numbers are numbers by right


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of ours: how its cells are read, and whether an export may leave it out."""

    name: str
    convert: Converter
    optional: bool = False
    secrecy: Secrecy = Secrecy.TEXT

    def convert_all(self, cells: Sequence[str]) -> list[Any]:
        """Read some cells of the column; raises ValueError where one cannot be read."""
        if isinstance(self.convert, ColumnConverter):
            return self.convert.all_of(cells)
        return list(map(self.convert, cells))


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file; `make` takes the columns' values in their order, of one row or of some."""

    name: str
    columns: tuple[ExportColumn, ...]
    make: Callable[..., Any]
    unread: tuple[str, ...] = ()  # columns of the contract that nothing is made of yet
    is_mapped: bool = True  # bundle.toml may call its columns otherwise; a feed has none

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def column(self, name: str) -> ExportColumn | None:
        return next((column for column in self.columns if column.name == name), None)


class EnrollmentStatus(StrEnum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


_long = text_up_to(4000)
_service = cached_converter(text_up_to(100), most=1_000)  # texts that many rows repeat
_description = cached_converter(_long, most=1_000)
_reference = text_up_to(100)  # a receipt or confirmation number: each row has its own
_unit = cached_converter(text_up_to(20), most=1_000)
_meter = text_up_to(64)
_rate_code = cached_converter(text_up_to(40), most=1_000)
_town = cached_converter(_long, most=1_000)
_zip = cached_converter(text_up_to(20), most=1_000)
_mailbox = code_up_to(320)
_optional_mailbox = code_up_to(320, required=False)
_enrollment_status = cells.one_of(EnrollmentStatus, {"canceled": EnrollmentStatus.CANCELLED})
_ACCOUNT_NUMBER = ExportColumn("account_number", cells.to_account_number, secrecy=Secrecy.NONE)


def _is_active(cell: str) -> bool:
    return _enrollment_status(cell) is EnrollmentStatus.ACTIVE


ACCOUNTS = Table(
    "accounts",
    (
        _ACCOUNT_NUMBER,
        ExportColumn("name", _long),
        ExportColumn("last_name", _long),
        ExportColumn("service_address", _long),
        ExportColumn("mailing_address", _long),
        ExportColumn("city", _town),
        ExportColumn("state", _town),
        ExportColumn("zip", _zip),
        ExportColumn("phone", _long, optional=True),
        ExportColumn("email", _long, optional=True),
        ExportColumn("ebill", cells.to_flag),
        ExportColumn("send_paper", cells.to_flag),
        ExportColumn("status", cells.one_of(AccountStatus)),
        ExportColumn("opening_balance", cells.to_money),
        ExportColumn("closing_balance", cells.to_money),
        ExportColumn("equal_pay_amount", cells.to_optional_money, optional=True),
        ExportColumn("direct_pay", cells.to_flag),
        ExportColumn("block_ach", cells.to_flag),
        ExportColumn("block_card", cells.to_flag),
        ExportColumn("cosigner_id", code_up_to(64, required=False), optional=True),
        ExportColumn("district", code_up_to(64, required=False), optional=True),
        ExportColumn("deposit_held", cells.to_optional_money, optional=True),
    ),
    Account,
)
TRANSACTIONS = Table(
    "transactions",
    (
        _ACCOUNT_NUMBER,
        ExportColumn("date", cells.to_date),
        ExportColumn("service", _service),
        ExportColumn("description", _description),
        ExportColumn("type", cells.one_of(MovementKind)),
        ExportColumn("amount", cells.to_money),
        ExportColumn("usage", cells.to_usage, optional=True),
        ExportColumn("reference", _reference, optional=True),
        ExportColumn("unit", _unit, optional=True),
        ExportColumn("days", cells.to_days, optional=True),
        ExportColumn("meter", _meter, optional=True),
        ExportColumn("read_type", cells.to_read_type, optional=True),
        ExportColumn("previous_read", cells.to_usage, optional=True),
        ExportColumn("current_read", cells.to_usage, optional=True),
        ExportColumn("rate_code", _rate_code, optional=True),
    ),
    Movements,
)
PORTAL_USERS = Table(
    "portal_users",
    (ExportColumn("email", _mailbox), ExportColumn("name", _long)),
    ExportedPortalUser,
)
PORTAL_LINKS = Table(
    "portal_links",
    (
        ExportColumn("portal_user", _mailbox),
        _ACCOUNT_NUMBER,
        ExportColumn("paperless", cells.to_flag),
    ),
    PortalLink,
)
COSIGNERS = Table(
    "cosigners",
    (
        ExportColumn("cosigner_id", code_up_to(64)),
        ExportColumn("name", _long),
        ExportColumn("portal_user", _optional_mailbox, optional=True),
    ),
    Cosigner,
)
PAYMENT_METHODS = Table(
    "payment_methods",
    (
        ExportColumn("token", code_up_to(200), secrecy=Secrecy.TOKEN),
        ExportColumn("portal_user", _optional_mailbox, optional=True),
        ExportColumn("kind", cells.one_of(MethodKind)),
        ExportColumn("last4", cells.to_last4, secrecy=Secrecy.TOKEN),
    ),
    PaymentMethod,
)
AUTOPAY = Table(
    "autopay",
    (
        _ACCOUNT_NUMBER,
        ExportColumn("portal_user", _optional_mailbox, optional=True),
        ExportColumn("method_token", code_up_to(200), secrecy=Secrecy.TOKEN),
        ExportColumn("days_prior", cells.to_days_prior),
        ExportColumn("maximum", cells.to_optional_money, optional=True),
        ExportColumn("enrolled_on", cells.to_date),
        ExportColumn("status", _is_active),
    ),
    Enrollment,
)
REQUIRED = (ACCOUNTS, TRANSACTIONS)
TABLES = (*REQUIRED, PORTAL_USERS, PORTAL_LINKS, COSIGNERS, PAYMENT_METHODS, AUTOPAY)
