"""A first bundle.toml for a folder, from what its tables' headings say."""

from __future__ import annotations

import json
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from billing_system.export.cells import to_date
from billing_system.export.columns import TABLES, TRANSACTIONS, Table
from billing_system.export.names import nearest
from billing_system.export.notes import TABLE_ENDINGS
from billing_system.export.table_files import TableFile, open_table
from billing_system.export_files import Folder
from domain.failures import Misuse, Refused

_READABLE = (".csv", ".tsv", ".txt")
_TRIED = ("", "utf-16", "mac-roman", "cp850")


@dataclass(frozen=True, slots=True)
class DraftTable:
    """One of their files, the table that it seems to be, and which heading is which column."""

    table: Table
    source: TableFile
    encoding: str  # "" where it needs no word in bundle.toml
    headings: dict[str, str]  # our column -> their heading

    @property
    def missing(self) -> list[str]:
        return [
            c.name for c in self.table.columns if not c.optional and c.name not in self.headings
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """What the tables of a folder tell, and the files that nothing could be made of."""

    tables: tuple[DraftTable, ...]
    strangers: tuple[str, ...]
    last_posted: date | None


def draft_tables(folder: Path) -> Draft:
    """Find out which file is which table and which heading which column; nothing is written."""
    place = Folder(folder)
    files = [name for name in place.names() if name.casefold().endswith(_READABLE)]
    opened = {name: found for name in files if (found := _open(place, name)) is not None}
    tables: list[DraftTable] = []
    for table in TABLES:
        rest = [name for name in opened if name not in {t.source.file for t in tables}]
        if chosen := _choose(table, {name: opened[name][0] for name in rest}):
            source, encoding = opened[chosen]
            tables.append(DraftTable(table, source, encoding, _match(table, source)))
    used = {drafted.source.file for drafted in tables}
    strangers = tuple(
        name
        for name in place.names()
        if name.casefold().endswith(TABLE_ENDINGS) and name not in used
    )
    return Draft(tuple(tables), strangers, _last_posted(tables))


def to_toml(draft: Draft, documents: Iterable[str], due_on: date | None) -> str:
    """Write the draft; what is not known is left empty, which an import refuses by its name."""
    lines = ["# A draft: look at every line, and fill in what is empty."]
    encodings = {t.table.name: t.encoding for t in draft.tables if t.encoding}
    lines += [
        "",
        "[utility]",
        'name = ""  # as bills and mails show it',
        'timezone = ""  # such as America/Denver',
    ]
    lines += ["", *_period(draft.last_posted, due_on)]
    lines += ["", "[control_totals]  # as the billing system prints them, not as the tables add up"]
    names = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")
    lines += [f'{name} = ""' for name in ("accounts", "bills", *names)]
    for document in documents:
        lines += ["", document]
    renamed = {t.table.name: t.source.file for t in draft.tables if t.source.file != t.table.file}
    lines += _section("files", {n: f for n, f in renamed.items() if f.casefold() != f"{n}.csv"})
    lines += _section("encoding", encodings)
    for drafted in draft.tables:
        lines += _columns(drafted)
    return "\n".join(lines) + "\n"


def _columns(drafted: DraftTable) -> list[str]:
    other = {c: h for c, h in drafted.headings.items() if h.casefold() != c}
    lines = _section(f"columns.{drafted.table.name}", other)
    missing = [f'# {c} = ""  # not found, and needed' for c in drafted.missing]
    if missing and not lines:
        lines = ["", f"[columns.{drafted.table.name}]"]
    return lines + missing


def _section(name: str, values: dict[str, str]) -> list[str]:
    if not values:
        return []
    return [
        "",
        f"[{name}]",
        *(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()),
    ]


def _period(last: date | None, due_on: date | None) -> list[str]:
    if last is None:
        return ["[period]", 'id = ""', 'start = ""', 'end = ""', 'due_date = ""']
    end = last.replace(day=monthrange(last.year, last.month)[1])
    due = due_on.isoformat() if due_on else '""'
    said = [f"id = {json.dumps(f'{last:%Y-%m}')}", f"start = {last.replace(day=1)}", f"end = {end}"]
    return ["[period]  # the month of the last transaction", *said, f"due_date = {due}"]


def _open(place: Folder, name: str) -> tuple[TableFile, str] | None:
    for encoding in _TRIED:
        try:
            return open_table(place, name, (), encoding=encoding), encoding
        except Refused:  # another encoding may fit
            continue
        except Misuse:
            return None
    return None


def _choose(table: Table, files: dict[str, TableFile]) -> str | None:
    """Take the file of that name, else the one whose headings fit best, if half of them do."""
    for name in files:
        if nearest(name.rpartition(".")[0], [table.name]):
            return name
    needed = [column.name for column in table.columns if not column.optional]
    scores = Counter(
        {name: len(set(_match(table, source)) & set(needed)) for name, source in files.items()}
    )
    best = scores.most_common(1)
    return best[0][0] if best and best[0][1] * 2 > len(needed) else None


def _match(table: Table, source: TableFile) -> dict[str, str]:
    columns = [column.name for column in table.columns] + list(table.unread)
    matched = {h.casefold(): h for h in source.headings if h.casefold() in columns}
    for heading in source.headings:
        rest = [column for column in columns if column not in matched]
        near = nearest(heading, rest) if heading and heading not in matched.values() else None
        if near is not None:
            matched[near] = heading
    return {column: matched[column] for column in columns if column in matched}


def _last_posted(tables: Iterable[DraftTable]) -> date | None:
    found = next((t for t in tables if t.table is TRANSACTIONS), None)
    if found is None or "date" not in found.headings:
        return None
    return max(_dates(found), default=None)


def _dates(drafted: DraftTable) -> Iterator[date]:
    place = drafted.source.headings.index(drafted.headings["date"])
    for row in drafted.source.rows():
        try:
            yield to_date(row.cells[place])
        except (ValueError, IndexError):
            continue
