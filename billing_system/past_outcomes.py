"""What an office did in a past month, as it writes it down: mails.csv, paper.csv, drafts.csv."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from billing_system.export import cells
from billing_system.export.cells import code_up_to
from billing_system.export.columns import ExportColumn, Secrecy, Table
from billing_system.export.rows import RowReader, unused_headings
from billing_system.export.table_files import open_table
from billing_system.export_files import Folder
from domain.failures import Misuse
from domain.money import Money
from domain.past_outcomes import Outcome, OutcomeKind
from domain.problems import Problem

LONGEST_ADDRESS = 320
_ACCOUNT = ExportColumn("account_number", cells.to_account_number, secrecy=Secrecy.NONE)


@dataclass(frozen=True, slots=True)
class PastMonth:
    """What the office told of a month; of a kind that is not in `kinds` it told nothing."""

    outcomes: tuple[Outcome, ...]
    kinds: frozenset[OutcomeKind]
    unread: tuple[str, ...]  # headings and files that nobody reads


def read_past_month(folder: Path) -> PastMonth:
    """
    Read what the office did in one month; a file that is not there was not told.

    Raises Misuse for a folder without any of the files, one whose name or heading is nearly ours,
    and rows that cannot be read: then nothing could be compared.
    """
    place = Folder(folder)
    outcomes, kinds, unread = list[Outcome](), set[OutcomeKind](), list[str]()
    problems = list[Problem]()
    for kind, table in TABLES.items():
        if not place.has(table.file):
            continue
        kinds.add(kind)
        needed = [column.name for column in table.columns if not column.optional]
        try:
            source = open_table(place, table.file, needed)
            rows = RowReader(table, source, {}, {}).read(problems.append)
            outcomes += [value for _, value in rows if value is not None]
        except Misuse as fault:  # of the file or a heading
            raise Misuse(f"{folder.name}: {fault.message}", "against") from None
        headings = unused_headings(table, open_table(place, table.file, needed), {})[0]
        unread += [f"{table.file}: {heading[:60]}" for heading in headings]
    _require_ours(folder, place, unread)
    if not kinds:
        raise Misuse(
            f"{folder} holds none of {', '.join(FILES)}; write there what the office did in that "
            "month: account_number and, by file, address, or amount and date",
            "against",
        )
    if problems:
        more = f"; {len(problems) - 1} more rows cannot be read" if len(problems) > 1 else ""
        raise Misuse(f"{folder.name}: {problems[0].message}{more}", "against")
    return PastMonth(tuple(outcomes), frozenset(kinds), tuple(unread))


def _require_ours(folder: Path, place: Folder, unread: list[str]) -> None:
    """Name the files that nobody reads; raise Misuse for a name that is nearly one of ours."""
    for name in place.names():
        if name in FILES or not name.casefold().endswith(".csv"):
            continue
        near = get_close_matches(name.casefold(), FILES, n=1, cutoff=0.6)
        if near and not place.has(near[0]):
            raise Misuse(
                f"{folder.name} holds {name[:80]}; did you mean {near[0]}? Name it so.", "against"
            )
        unread.append(name[:80])


def _made(kind: OutcomeKind) -> Callable[..., Outcome]:
    def make(account: str, *rest: Any) -> Outcome:
        return Outcome(kind, account, *rest)

    return make


def _make_draft(account: str, amount: Money, day: date | None) -> Outcome:
    return Outcome(OutcomeKind.DRAFT, account, amount=amount, day=day)


def _to_optional_date(cell: str) -> date | None:
    return cells.to_date(cell) if cell.strip() else None


def _to_drawn(cell: str) -> Money:
    amount = cells.to_money(cell)
    if amount.cents <= 0:
        raise ValueError("is no amount that is drawn; write it above zero")
    return amount


TABLES = {
    OutcomeKind.MAIL: Table(
        "mails",
        (_ACCOUNT, ExportColumn("address", code_up_to(LONGEST_ADDRESS))),
        _made(OutcomeKind.MAIL),
        is_mapped=False,
    ),
    OutcomeKind.PAPER: Table("paper", (_ACCOUNT,), _made(OutcomeKind.PAPER), is_mapped=False),
    OutcomeKind.DRAFT: Table(
        "drafts",
        (
            _ACCOUNT,
            ExportColumn("amount", _to_drawn),
            ExportColumn("date", _to_optional_date, optional=True),
        ),
        _make_draft,
        is_mapped=False,
    ),
}
FILES = [table.file for table in TABLES.values()]
