"""The tables of a feed file and their columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from billing_system.export import cells
from billing_system.export.cells import Converter, code_up_to, text_up_to
from billing_system.export.columns import ExportColumn, Secrecy, Table
from domain.accounts import AccountStatus
from domain.feeds import (
    FLAGS,
    NO,
    YES,
    AccountChange,
    Acknowledgement,
    ChangeField,
    FeedKind,
    FeedMovement,
)
from domain.money import Money

EMPTIED = "-"  # an empty cell is no change; this empties what stood there
_ACCOUNT_NUMBER = ExportColumn("account_number", cells.to_account_number, secrecy=Secrecy.NONE)
_LONG = text_up_to(4000)
_LOCAL_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_STATUS = cells.one_of(AccountStatus)


def to_amount(cell: str) -> Money:
    """Read what a movement does to a balance; one of nothing is a mistake of the export."""
    amount = cells.to_money(cell)
    if not amount:
        raise ValueError("is zero; a movement moves something")
    return amount


def to_local_moment(cell: str) -> datetime | None:
    """Read a local moment of the utility without a zone; None where the cell is empty."""
    written = cell.strip()
    if not written:
        return None
    if not _LOCAL_MOMENT.fullmatch(written):
        raise ValueError("is no local moment such as 2026-11-30 17:05")
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError("is no local moment such as 2026-11-30 17:05") from None


def to_counted(cell: str) -> bool:
    """Read whether a movement is in balance due (rule 39); what nobody says is."""
    return cells.to_flag(cell) if cell.strip() else True


def to_change(name: ChangeField) -> Converter:
    """Make the converter of one changeable field: None for no change, else its new value."""
    if name in FLAGS:
        return _to_flag_change
    if name is ChangeField.STATUS:
        return _to_status_change
    text = text_up_to(20) if name is ChangeField.ZIP else _LONG

    def to_text_change(cell: str) -> str | None:
        written: str = text(cell)
        return None if not written else "" if written == EMPTIED else written

    return to_text_change


def _to_flag_change(cell: str) -> str | None:
    written = cell.strip()
    if not written:
        return None
    return YES if written != EMPTIED and cells.to_flag(written) else NO


def _to_status_change(cell: str) -> str | None:
    return _STATUS(cell).value if cell.strip() else None


def make_movement(
    movement_id: str,
    account: str,
    happened_on: date,
    kind: FeedKind,
    amount: Money,
    *rest: Any,
) -> FeedMovement:
    return FeedMovement(movement_id, account, happened_on, kind, amount, *rest)


def make_change(account: str, *values: str | None) -> AccountChange:
    named = zip(ChangeField, values, strict=True)
    return AccountChange(account, {name: value for name, value in named if value is not None})


def to_number(cell: str) -> int:
    """Read the number of a choice of ours."""
    written = cell.strip()
    if not re.fullmatch("[0-9]{1,12}", written):
        raise ValueError("is no number of a change that billclose told")
    return int(written)


_is_taken: Callable[[str], str] = code_up_to(10)


def to_taken(cell: str) -> bool:
    """Read what became of a choice: taken or refused."""
    written = _is_taken(cell).casefold()
    if written not in ("taken", "refused"):
        raise ValueError("is neither taken nor refused")
    return written == "taken"


MOVEMENTS = Table(
    "movements",
    (
        ExportColumn("movement_id", code_up_to(100), secrecy=Secrecy.NONE),
        _ACCOUNT_NUMBER,
        ExportColumn("date", cells.to_date),
        ExportColumn("type", cells.one_of(FeedKind)),
        ExportColumn("amount", to_amount),
        ExportColumn("service", text_up_to(100), optional=True),
        ExportColumn("description", _LONG, optional=True),
        ExportColumn("reference", code_up_to(100, required=False), optional=True),
        ExportColumn("posted_at", to_local_moment, optional=True),
        ExportColumn("in_balance_due", to_counted, optional=True),
    ),
    make_movement,
    is_mapped=False,
)
CHANGES = Table(
    "changes",
    (
        _ACCOUNT_NUMBER,
        *(ExportColumn(name.value, to_change(name), optional=True) for name in ChangeField),
    ),
    make_change,
    is_mapped=False,
)
ACKNOWLEDGEMENTS = Table(
    "acknowledgements",
    (
        ExportColumn("id", to_number, secrecy=Secrecy.NONE),
        ExportColumn("state", to_taken),
        ExportColumn("reason", text_up_to(200), optional=True),
    ),
    Acknowledgement,
    is_mapped=False,
)
TABLES = (MOVEMENTS, CHANGES, ACKNOWLEDGEMENTS)
