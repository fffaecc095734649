"""The accounts, names and addresses that `billclose split --accounts` knows of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from domain.failures import Misuse

if TYPE_CHECKING:
    from billing_system.export.table_files import TableFile
    from splitter.association.knowledge import Knowledge, KnownCustomer

ACCOUNT = "account_number"
NAMES = ("name",)
ADDRESSES = ("service_address", "mailing_address")
FAMILY = "cosigner_id"


def read_customers(file: Path) -> Knowledge:
    """
    Read a file like accounts.csv; only account_number must be in it.

    Raises Misuse where there is no such file, no such column, or a row that is no row: an account
    that is not known is one whose pages nobody guards.
    """
    from billing_system.export.table_files import open_table
    from billing_system.export_files import Folder
    from splitter.association.knowledge import Knowledge

    if not file.is_file():
        raise Misuse(f"--accounts: there is no file {file}.")
    place, headings = Folder(file.absolute().parent), (ACCOUNT, *NAMES, *ADDRESSES)
    table = open_table(place, file.name, headings, is_mapped=False)
    columns = {_plain(heading): place for place, heading in enumerate(table.headings)}
    if ACCOUNT not in columns:
        raise Misuse(
            f"--accounts {file.name} has no column {ACCOUNT}; its headings are"
            f" {', '.join(table.headings[:12])}."
        )
    return Knowledge.of(_customers(file, table, columns))


def _customers(file: Path, table: TableFile, columns: Mapping[str, int]) -> Iterator[KnownCustomer]:
    from splitter.association.knowledge import KnownCustomer

    for raw in table.rows():
        if raw.fault:
            raise Misuse(f"--accounts {file.name} row {raw.row} {raw.fault}; correct it.")
        cells = {name: raw.cells[place].strip() for name, place in columns.items()}
        yield KnownCustomer(
            cells[ACCOUNT],
            names=tuple(cells[name] for name in NAMES if cells.get(name)),
            addresses=tuple(cells[name] for name in ADDRESSES if cells.get(name)),
            families=(f"cosigner {cells[FAMILY]}",) if cells.get(FAMILY) else (),
        )


def _plain(heading: str) -> str:
    return "_".join(heading.lower().replace("-", " ").replace("_", " ").split())
