"""Rows that come twice: tolerated where they say the same, a problem where they do not."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from billing_system.port import Report
from billing_system.records import PortalLink
from billing_system.rows import UNREADABLE, RowReader
from billing_system.table_files import RawRow
from domain.accounts import Account, account_key

DUPLICATE = "account-duplicate"


def read_accounts(
    reader: RowReader, spellings: dict[str, str], report: Report
) -> Iterator[Account]:
    """
    Yield each account once, the first row of it, and fill in `spellings`.

    A second row is a problem even where it repeats the first to the letter, or where the first
    could not be read: the billing system must not have two of one account (rule 124).
    """
    first_rows: dict[str, int] = {}
    for raw, account in reader.read(report):
        written = reader.written_account(raw)
        key = account_key(written)
        if key in first_rows:
            fault = (
                f"is account {written} again, which row {first_rows[key]} has as {spellings[key]}; "
                "merge the two in the billing system"
            )
            report(reader.problem(DUPLICATE, raw, fault))
            continue
        if key:
            first_rows[key] = raw.row
            spellings[key] = written
        if account is not None:
            yield account


def read_once(
    reader: RowReader, report: Report, key: Callable[[Any], Hashable], what: Callable[[Any], Any]
) -> Iterator[Any]:
    """Yield the first row of each key; a later one that says something else cannot be read."""
    first: dict[Hashable, tuple[int, Any]] = {}
    for raw, value in _readable(reader.read(report)):
        row, seen = first.setdefault(key(value), (raw.row, value))
        if row == raw.row:
            yield value
        elif what(seen) != what(value):
            fault = f"contradicts row {row}, which is about the same; keep the right one"
            report(reader.problem(UNREADABLE, raw, fault))


def read_links(reader: RowReader, report: Report) -> Iterator[PortalLink]:
    """Yield each link once; it is paperless where one of its rows says so (rule 24)."""
    links: dict[tuple[str, str], PortalLink] = {}
    for _, link in _readable(reader.read(report)):
        known = links.get((link.key, link.mailbox))
        if known is None or (link.paperless and not known.paperless):
            links[link.key, link.mailbox] = link
    yield from links.values()


def _readable(rows: Iterable[tuple[RawRow, Any]]) -> Iterator[tuple[RawRow, Any]]:
    return (read for read in rows if read[1] is not None)
