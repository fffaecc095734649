"""What bundle.toml says: utility, period, control totals, bulk files and renamed columns."""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from billing_system.columns import TABLES
from billing_system.manifest_documents import read_bulk_files
from billing_system.manifest_fields import MANIFEST, Section, fault, show
from domain.failures import Misuse
from domain.periods import BulkFile, ControlTotals, Period, Utility

LARGEST_MANIFEST = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """A bundle.toml; `renamed` gives for each table our column's heading in their files."""

    utility: Utility
    period: Period
    control_totals: ControlTotals
    bulk_files: tuple[BulkFile, ...]
    renamed: Mapping[str, Mapping[str, str]]


def parse_manifest(content: bytes) -> Manifest:
    """Read a bundle.toml; raises Misuse naming the key, its value and what to do."""
    try:
        values = tomllib.loads(content.decode("utf-8-sig"), parse_float=_to_decimal)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misuse(f"{MANIFEST} line {line} is not UTF-8; save it as UTF-8", "bundle") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise Misuse(f"{MANIFEST} is not valid TOML: {error}; correct it", "bundle") from None
    return Manifest(
        _read_utility(_section(values, "utility")),
        _read_period(_section(values, "period")),
        _read_totals(_section(values, "control_totals")),
        read_bulk_files(values.get("documents")),
        _read_renamed(values.get("columns", {})),
    )


def _to_decimal(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        raise ValueError(f"{written} is no number") from None


def _section(values: Mapping[str, Any], name: str) -> Section:
    if not isinstance(values.get(name), dict):
        raise fault(f"[{name}]", "is missing; add this section")
    return Section(f"[{name}]", values[name])


def _read_utility(section: Section) -> Utility:
    timezone = section.text("timezone")
    zones = zoneinfo.available_timezones()
    if timezone not in zones:
        close = get_close_matches(timezone, zones, n=1)
        suggestion = f"; did you mean {close[0]}?" if close else ", for example America/Denver"
        raise fault(section.place("timezone"), f"{show(timezone)} is no time zone{suggestion}")
    return Utility(section.text("name", longest=200), timezone)


def _read_period(section: Section) -> Period:
    period = Period(
        section.name("id"), section.date("start"), section.date("end"), section.date("due_date")
    )
    if period.ends_on < period.starts_on:
        raise fault(
            section.place("end"),
            f"{period.ends_on} is before the start {period.starts_on}; correct one of them",
        )
    if period.due_on <= period.ends_on:
        raise fault(
            section.place("due_date"),
            f"{period.due_on} is not after the period's end {period.ends_on}; correct one of them",
        )
    return period


def _read_totals(section: Section) -> ControlTotals:
    return ControlTotals(
        accounts=section.count("accounts"),
        bills=section.count("bills"),
        opening_balance=section.money("opening_balance"),
        billed=section.money("billed"),
        payments=section.money("payments"),
        adjustments=section.money("adjustments"),
        penalties=section.money("penalties"),
        closing_balance=section.money("closing_balance"),
    )


def _read_renamed(columns: Any) -> dict[str, dict[str, str]]:
    tables = {table.name: {column.name for column in table.columns} for table in TABLES}
    if not isinstance(columns, dict) or not all(isinstance(v, dict) for v in columns.values()):
        raise fault("[columns]", f"is {show(columns)}; write sections such as [columns.accounts]")
    for name, renamed in columns.items():
        if name not in tables:
            raise fault(f"[columns.{name}]", f"is no table; ours are {', '.join(tables)}")
        section = Section(f"[columns.{name}]", renamed)
        for column in renamed:
            if column not in tables[name]:
                raise fault(section.place(column), f"is no column; {_list(tables[name])}")
            section.text(column)
    return columns


def _list(columns: set[str]) -> str:
    return f"ours are {', '.join(sorted(columns))}"
