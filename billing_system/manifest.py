"""What bundle.toml says: utility, period, control totals, bulk files and renamed columns."""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from billing_system.columns import TABLES
from billing_system.export_files import Folder, ZipFolder, open_place
from billing_system.manifest_fields import MANIFEST, Section, fault, show
from domain.failures import Misuse
from domain.periods import BulkFile, ControlTotals, Period, Utility

_KEYS = (
    *("form", "file", "account", "amount_due", "due_date", "separator", "region"),
    *("ignore", "ignore_reason", "not_accounts", "may_name_others", "nameless"),
)


def read_bulk_files(documents: Any) -> tuple[BulkFile, ...]:
    """Read what `[[documents]]` gives; raises Misuse naming the section's number and the key."""
    if not isinstance(documents, list) or not documents:
        raise fault("[[documents]]", "is missing; add one for each bulk PDF, in double brackets")
    found: dict[str, BulkFile] = {}
    for number, values in enumerate(documents, start=1):
        title = f"[[documents]] number {number},"
        if not isinstance(values, dict):
            raise fault(title, f"is {show(values)}; write it as a section of its own")
        bulk = _read_bulk_file(Section(title, values))
        if bulk.file in found:
            raise fault(f"{title} file", f'"{bulk.file}" is named twice; name each PDF once')
        found[bulk.file] = bulk
    return tuple(found.values())


def _read_bulk_file(section: Section) -> BulkFile:
    section.refuse_misspelled(_KEYS)
    file = section.text("file", longest=255)
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file or ":" in file:
        raise fault(section.place("file"), f"{show(file)} must lie within the export")
    return BulkFile(
        form=section.name("form"),
        file=str(path),
        account=section.pattern("account"),
        amount_due=section.optional_pattern("amount_due"),
        due_on=section.optional_pattern("due_date"),
        separator=section.optional_text("separator"),
        region=_read_region(section),
        ignore=_read_names(section, "ignore"),
        ignore_reason=section.optional_text("ignore_reason") or "",
        not_accounts=section.optional_text("not_accounts"),
        may_name_others=_read_flag(section, "may_name_others"),
        nameless=section.optional_text("nameless") or "after",
    )


def _read_names(section: Section, key: str) -> tuple[str, ...]:
    value = section.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise fault(section.place(key), f'is {show(value)}; write a list such as ["values"]')
    return tuple(value)


def _read_flag(section: Section, key: str) -> bool:
    value = section.values.get(key, False)
    if not isinstance(value, bool):
        raise fault(section.place(key), f"is {show(value)}; write true or false")
    return value


def _read_region(section: Section) -> tuple[float, float, float, float] | None:
    if "region" not in section.values:
        return None
    value = section.values["region"]
    is_list = isinstance(value, list) and len(value) == 4
    numbers = [
        float(side)
        for side in (value if is_list else ())
        if isinstance(side, int | Decimal) and not isinstance(side, bool) and 0 <= side < 100_000
    ]
    if len(numbers) == 4 and numbers[0] < numbers[2] and numbers[1] < numbers[3]:
        return numbers[0], numbers[1], numbers[2], numbers[3]
    raise fault(
        section.place("region"),
        f"is {show(value)}; write left, top, right, bottom in points, such as [300, 0, 612, 120]",
    )


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


def read_manifest(source: Path) -> Manifest:
    """Say what an export is of; raises Misuse where there is no usable export at the path."""
    return read_manifest_in(open_place(source))


def read_manifest_in(place: Folder | ZipFolder) -> Manifest:
    """Read the bundle.toml of an opened export; raises Misuse."""
    with place.open(MANIFEST) as stream:
        content = stream.read(LARGEST_MANIFEST + 1)
    if len(content) > LARGEST_MANIFEST:
        raise Misuse(f"{MANIFEST} is larger than {LARGEST_MANIFEST} bytes; correct it", "bundle")
    return parse_manifest(content)
