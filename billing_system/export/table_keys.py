"""What bundle.toml says of the tables: their files, encodings, headings and values."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from billing_system.export.columns import TABLES, ExportColumn, Table
from billing_system.export.encodings import ENCODINGS, to_encoding
from billing_system.export.fields import ManifestSection, fault, show
from billing_system.export.names import suggest

_TABLES = {table.name: table for table in TABLES}


def read_renamed(columns: Any) -> dict[str, dict[str, str]]:
    """
    Read `[columns.TABLE]`: our column = "their heading".

    An empty heading says that their file has no such column, whatever it calls the others.
    """
    renamed: dict[str, dict[str, str]] = {}
    for table, section in _sections("columns", columns):
        for name in section.values:
            column = _column(section, table, name)
            if section.values[name] == "" and (column is None or column.optional):
                continue
            section.text(name)
        renamed[table.name] = dict(section.values)
    return renamed


def read_meanings(values: Any) -> dict[str, dict[str, dict[str, str]]]:
    """
    Read `[values.TABLE.COLUMN]`: "their value" = ours, by their value in small letters.

    Raises Misuse where ours is none that the column takes.
    """
    meanings: dict[str, dict[str, dict[str, str]]] = {}
    for table, section in _sections("values", values):
        for name, mapped in section.values.items():
            column = _column(section, table, name)
            place = f"[values.{table.name}.{name}]"
            if not isinstance(mapped, dict):
                raise fault(place, f'is {show(mapped)}; write "their value" = our value in it')
            if column is not None and name != "account_number":
                meanings.setdefault(table.name, {})[name] = _read_meaning(place, column, mapped)
            elif name == "account_number":
                raise fault(place, "account numbers stay as they are; take this section out")
    return meanings


def read_file_names(files: Any) -> dict[str, str]:
    """Read `[files]`: our table = "their file", "" for one that the export has not."""
    if not isinstance(files, dict):
        raise fault("[files]", f'is {show(files)}; write lines such as autopay = "pay.csv" in it')
    section = ManifestSection("[files]", files)
    for name in files:
        if name not in _TABLES:
            raise fault(section.place(name), f"is no table{suggest(name, _TABLES)}; {_list()}")
        if files[name] != "":
            section.text(name, longest=255)
    return dict(files)


def read_encodings(encoding: Any) -> dict[str, str]:
    """Read `encoding`: one for all tables, or a section with one for each table that needs it."""
    written = encoding if isinstance(encoding, dict) else dict.fromkeys(_TABLES, encoding)
    for name, value in written.items():
        if name not in _TABLES:
            raise fault(f"[encoding] {name}", f"is no table{suggest(name, _TABLES)}; {_list()}")
        if not isinstance(value, str) or to_encoding(value) is None:
            raise fault("encoding", f"is {show(value)}; it may be {', '.join(ENCODINGS)}")
    return {name: to_encoding(value) or "" for name, value in written.items()}


def _sections(title: str, values: Any) -> Iterable[tuple[Table, ManifestSection]]:
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise fault(f"[{title}]", f"is {show(values)}; write sections such as [{title}.accounts]")
    for name, inner in values.items():
        if name not in _TABLES:
            raise fault(f"[{title}.{name}]", f"is no table{suggest(name, _TABLES)}; {_list()}")
        yield _TABLES[name], ManifestSection(f"[{title}.{name}]", inner)


def _column(section: ManifestSection, table: Table, name: str) -> ExportColumn | None:
    """Find a column by our name; None for one that nothing is made of yet. Raises Misuse."""
    column = table.column(name)
    if column is None and name not in table.unread:
        names = sorted({column.name for column in table.columns} | {*table.unread})
        said = f"is no column{suggest(name, names)}; ours are {', '.join(names)}"
        raise fault(section.place(name), said)
    return column


def _read_meaning(place: str, column: ExportColumn, mapped: dict[str, Any]) -> dict[str, str]:
    meaning = {}
    for theirs, ours in mapped.items():
        if not isinstance(ours, str | int | Decimal):
            raise fault(f"{place} {theirs}", f"is {show(ours)}; write a value in quotation marks")
        written = str(ours).lower() if isinstance(ours, bool) else str(ours)
        try:
            column.convert(written)
        except ValueError as error:
            raise fault(f'{place} "{theirs}"', f'"{written[:40]}" {error}') from None
        meaning[theirs.strip().casefold()] = written
    return meaning


def _list() -> str:
    return f"ours are {', '.join(_TABLES)}"
