"""What bundle.toml says: utility, period, control totals, bulk files and renamed columns."""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from billing_system.export.columns import Table
from billing_system.export.fields import MANIFEST, ManifestSection, fault, show
from billing_system.export.table_keys import (
    read_encodings,
    read_file_names,
    read_meanings,
    read_renamed,
)
from billing_system.export_files import Place, open_place
from billing_system.port import Note, NoteKind
from domain.failures import Misuse
from domain.periods import (
    BY_ATTACHMENTS,
    BY_BOOKMARKS,
    BY_TEXT,
    NAMED_BY,
    Boundary,
    BulkFile,
    ControlTotals,
    Period,
    Utility,
)

_KEYS = (
    *("form", "file", "account", "amount_due", "due_date", "separator", "region"),
    *("ignore", "ignore_reason", "not_accounts", "may_name_others", "nameless"),
    *("by", "title", "level"),
)
_DEEPEST_LEVEL = 32  # of bookmarks


def read_bulk_files(documents: Any) -> tuple[BulkFile, ...]:
    """Read what `[[documents]]` gives; raises Misuse naming the section's number and the key."""
    if not isinstance(documents, list) or not documents:
        raise fault("[[documents]]", "is missing; add one for each bulk PDF, in double brackets")
    found: dict[str, BulkFile] = {}
    for number, values in enumerate(documents, start=1):
        title = f"[[documents]] number {number},"
        if not isinstance(values, dict):
            raise fault(title, f"is {show(values)}; write it as a section of its own")
        bulk = _read_bulk_file(ManifestSection(title, values))
        if bulk.file in found:
            raise fault(f"{title} file", f'"{bulk.file}" is named twice; name each PDF once')
        found[bulk.file] = bulk
    return tuple(found.values())


def _read_bulk_file(section: ManifestSection) -> BulkFile:
    section.unknown_keys(_KEYS)
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
        by=_read_by(section),
        title=section.optional_pattern("title"),
        level=_read_level(section),
    )


def _read_by(section: ManifestSection) -> str:
    """Read what names the accounts; keys that only bookmarks or attachments have need it."""
    by = section.values.get("by", BY_TEXT)
    if by not in NAMED_BY:
        names = ", ".join(f'"{name}"' for name in NAMED_BY)
        raise fault(section.place("by"), f"is {show(by)}; write one of {names}")
    if by == BY_TEXT and "title" in section.values:
        wanted = f'"{BY_BOOKMARKS}" or "{BY_ATTACHMENTS}"'
        raise fault(section.place("title"), f"needs by = {wanted}; add it, or remove title")
    if by != BY_TEXT and section.values.get("nameless", "after") == "before":
        reason = f'cannot be "before" with by = "{by}", which says where a bill begins'
        raise fault(section.place("nameless"), f"{reason}; remove one of them")
    return str(by)


def _read_level(section: ManifestSection) -> int:
    if "level" not in section.values:
        return 1
    value = section.values["level"]
    if section.values.get("by") != BY_BOOKMARKS:
        raise fault(section.place("level"), f'needs by = "{BY_BOOKMARKS}"; add it, or remove level')
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _DEEPEST_LEVEL:
        raise fault(section.place("level"), f"is {show(value)}; write 1 to {_DEEPEST_LEVEL}")
    return value


def _read_names(section: ManifestSection, key: str) -> tuple[str, ...]:
    value = section.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise fault(section.place(key), f'is {show(value)}; write a list such as ["values"]')
    return tuple(value)


def _read_flag(section: ManifestSection, key: str) -> bool:
    value = section.values.get(key, False)
    if not isinstance(value, bool):
        raise fault(section.place(key), f"is {show(value)}; write true or false")
    return value


def _read_region(section: ManifestSection) -> tuple[float, float, float, float] | None:
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
    """
    A bundle.toml.

    By the names of our tables: `renamed` gives our column's heading in their file ("" where they
    have none), `meanings` by column what their values are with us, `files` the file's name with
    them ("" for none), `encodings` how a file is encoded where it is said.
    """

    utility: Utility
    period: Period
    control_totals: ControlTotals
    written: Boundary | None
    bulk_files: tuple[BulkFile, ...]
    renamed: Mapping[str, Mapping[str, str]]
    meanings: Mapping[str, Mapping[str, Mapping[str, str]]]
    files: Mapping[str, str]
    encodings: Mapping[str, str]
    notes: tuple[Note, ...]

    def file_of(self, table: Table) -> str:
        """Return what a table's file is called in this export, "" where it has none."""
        return self.files.get(table.name, table.file)


def parse_manifest(content: bytes) -> Manifest:
    """Read a bundle.toml; raises Misuse naming the key, its value and what to do."""
    try:
        values = tomllib.loads(content.decode("utf-8-sig"), parse_float=_to_decimal)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misuse(f"{MANIFEST} line {line} is not UTF-8; save it as UTF-8", "bundle") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise Misuse(f"{MANIFEST} is not valid TOML: {error}; correct it", "bundle") from None
    section = ManifestSection("", values)
    notes = [_unused_key(f"[{key}]") for key in section.unknown_keys(_SECTIONS)]
    own = {name: _section({"export": {}} | values, name) for name in _OWN_KEYS}
    for name, section in own.items():
        notes += map(_unused_key, map(section.place, section.unknown_keys(_OWN_KEYS[name])))
    bulk_files = read_bulk_files(values.get("documents"))
    notes += _unused_in_documents(values["documents"])
    return Manifest(
        _read_utility(own["utility"]),
        _read_period(own["period"]),
        _read_totals(own["control_totals"]),
        _read_written(own["export"], _read_utility(own["utility"]).timezone),
        bulk_files,
        read_renamed(values.get("columns", {})),
        read_meanings(values.get("values", {})),
        read_file_names(values.get("files", {})),
        read_encodings(values.get("encoding", {})),
        tuple(notes),
    )


_OWN_KEYS = {
    "utility": ("name", "timezone"),
    "period": ("id", "start", "end", "due_date", "cycle"),
    "control_totals": tuple(field.name for field in fields(ControlTotals)),
    "export": ("written_at",),
}
_SECTIONS = (*_OWN_KEYS, "documents", "columns", "values", "files", "encoding")


def _unused_in_documents(documents: Iterable[Mapping[str, Any]]) -> Iterator[Note]:
    for number, document in enumerate(documents, start=1):
        section = ManifestSection(f"[[documents]] number {number},", document)
        yield from map(_unused_key, map(section.place, section.unknown_keys(_KEYS)))


def _unused_key(place: str) -> Note:
    return Note(NoteKind.UNUSED_KEY, MANIFEST, place[:100], f"{MANIFEST}: {place} is not used")


def _to_decimal(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        raise ValueError(f"{written} is no number") from None


def _section(values: Mapping[str, Any], name: str) -> ManifestSection:
    if not isinstance(values.get(name), dict):
        raise fault(f"[{name}]", "is missing; add this section")
    return ManifestSection(f"[{name}]", values[name])


@cache
def _time_zones() -> frozenset[str]:
    """Look through the machine's files of time zones, which are hundreds, once."""
    return frozenset(zoneinfo.available_timezones())


def _read_utility(section: ManifestSection) -> Utility:
    timezone = section.text("timezone")
    zones = _time_zones()
    if timezone not in zones:
        close = get_close_matches(timezone, zones, n=1)
        suggestion = f"; did you mean {close[0]}?" if close else ", for example America/Denver"
        raise fault(section.place("timezone"), f"{show(timezone)} is no time zone{suggestion}")
    return Utility(section.text("name", longest=200), timezone)


def _read_period(section: ManifestSection) -> Period:
    period = Period(
        section.name("id"),
        section.date("start"),
        section.date("end"),
        section.date("due_date"),
        section.name("cycle") if section.values.get("cycle", "") != "" else "",
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


def _read_written(section: ManifestSection, timezone: str) -> Boundary | None:
    """Read when the export was written: local, so in the hour that comes twice either may be."""
    if "written_at" not in section.values:
        return None
    local = section.moment("written_at")
    zone = zoneinfo.ZoneInfo(timezone)
    both = [local.replace(tzinfo=local.tzinfo or zone, fold=fold) for fold in (0, 1)]
    moments = sorted(moment.astimezone(UTC) for moment in both)
    return Boundary(moments[0], moments[1])


def _read_totals(section: ManifestSection) -> ControlTotals:
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


def read_manifest(source: Path) -> Manifest:
    """Say what an export is of; raises Misuse where there is no usable export at the path."""
    return read_manifest_in(open_place(source))


def read_manifest_in(place: Place) -> Manifest:
    """Read the bundle.toml of an opened export; raises Misuse."""
    with place.open(MANIFEST) as stream:
        content = stream.read(LARGEST_MANIFEST + 1)
    if len(content) > LARGEST_MANIFEST:
        raise Misuse(f"{MANIFEST} is larger than {LARGEST_MANIFEST} bytes; correct it", "bundle")
    return parse_manifest(content)
