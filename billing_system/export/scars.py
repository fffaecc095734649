"""What spreadsheets do to account numbers: zeros that are gone, dates, decimals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.port import Note, NoteKind
from database.tables import account, mandate, movement, portal_link

_REFERRING = {"transactions.csv": movement, "portal_links.csv": portal_link, "autopay.csv": mandate}
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = re.compile(
    rf"(?:[0-9]{{1,2}}-)?(?:{_MONTHS})(?:-[0-9]{{1,4}})?|[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{2,4}}",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"[0-9]+\.0")
NEARLY_ALL = 0.9  # of the numbers have one length, and the others are shorter
FEWEST = 20  # numbers; of fewer nothing can be said
_MOST = 5_000  # numbers that nobody knows are looked at


def find_scars(numbers: Sequence[str]) -> Iterator[Note]:
    """Note what the account numbers of accounts.csv have that billing systems do not write."""
    dates = [number for number in numbers if _DATE.fullmatch(number)]
    if dates:
        yield _note(
            "accounts.csv",
            f"{len(dates):,} account numbers look like dates, such as {dates[0]}: a spreadsheet "
            "turns 01-1037 into one; export account numbers as text",
        )
    decimals = [number for number in numbers if _DECIMAL.fullmatch(number)]
    if decimals and len(decimals) == len(numbers):
        yield _note(
            "accounts.csv",
            f"all account numbers end in .0, such as {decimals[0]}: a program took them for "
            "amounts; export account numbers as text",
        )
    yield from _shorter(numbers)


def find_lost_zeros(books: Connection, period: str) -> Iterator[Note]:
    """
    Note where a staged table names accounts as another does but for zeros in front.

    Such rows find no account: their money and their choices would be nobody's.
    """
    for file, table in _REFERRING.items():
        strangers = _strangers(books, period, table)
        if not strangers:
            continue
        query = sa.select(account.c.account_key, account.c.account).where(
            account.c.period == period
        )
        known = {key.lstrip("0"): number for key, number in books.execute(query)}
        lost = [(key, known[key.lstrip("0")]) for key in strangers if key.lstrip("0") in known]
        if lost:
            theirs, ours = lost[0]
            yield _note(
                file,
                f"{len(lost):,} account numbers differ from those of accounts.csv by zeros in "
                f"front ({theirs} here, {ours} there): a spreadsheet drops them; export account "
                "numbers as text",
            )


def _strangers(books: Connection, period: str, table: sa.Table) -> list[str]:
    query = (
        sa.select(table.c.account_key)
        .distinct()
        .outerjoin(
            account,
            (account.c.period == table.c.period) & (account.c.account_key == table.c.account_key),
        )
        .where(table.c.period == period, account.c.account_key.is_(None))
        .order_by(table.c.account_key)
        .limit(_MOST)
    )
    return list(books.execute(query).scalars())


def _shorter(numbers: Iterable[str]) -> Iterator[Note]:
    digits = [number for number in numbers if number.isdigit()]
    lengths = Counter(map(len, digits))
    if len(digits) < FEWEST or len(lengths) < 2 or any(n.startswith("0") for n in digits):
        return
    usual, most = lengths.most_common(1)[0]
    shorter = [number for number in digits if len(number) < usual]
    if max(lengths) == usual and most >= NEARLY_ALL * len(digits):
        yield _note(
            "accounts.csv",
            f"{len(shorter):,} account numbers are shorter than the {usual} digits of the others, "
            f"such as {shorter[0]}: a spreadsheet drops zeros in front; compare with the bills",
        )


def _note(file: str, message: str) -> Note:
    return Note(NoteKind.SCAR, file, "account_number", f"{file}: {message}")
