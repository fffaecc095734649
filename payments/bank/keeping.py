"""The bank's files in our books: each line once, matched with the payouts, and settled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.bank.tables import bank_file, bank_line
from database.books import Database
from database.inserting import insert_new
from database.tables import settled_item, settlement
from domain.failures import Misuse
from domain.money import Money
from payments.bank.bai2 import is_bai2, read_bai2
from payments.bank.lines import BAD_FILE, BankLine
from payments.bank.table import CsvLayout, read_table
from rules.money.bank_matching import BankDifference, BankEntry, BankPair, Nearness, Payout
from rules.money.bank_matching import match_bank as match_lines

LARGEST = 10_000_000  # octets; a year of a city's deposits has less than one
BANK, PAYOUT = "bank/", "payout/"  # how the names of differences begin


@dataclass(frozen=True, slots=True)
class BankTerms:
    """What of a bank's file is ours, how its CSV is laid out, and what counts as near."""

    texts: tuple[str, ...]
    layout: CsvLayout
    nearness: Nearness


@dataclass(frozen=True, slots=True)
class TakenFile:
    """What became of a file: its lines, those new, those that are no deposit of ours."""

    name: str
    format: str
    lines: int
    new: int
    left_out: int
    first_on: date | None
    last_on: date | None
    known: bool


@dataclass(frozen=True, slots=True)
class OpenDifference:
    """A line of the bank and a payout that do not agree, or one that the other side lacks."""

    item: str
    difference: BankDifference
    entry: BankEntry | None
    payout: Payout | None


@dataclass(frozen=True, slots=True)
class BankStanding:
    """
    How bank and payouts agree; `first_on` to `last_on` is what the bank's files tell of.

    `matched` counts payouts; `groups` are those that the bank has joined in one line or split.
    """

    matched: int = 0
    amount: Money = field(default_factory=Money)
    differences: tuple[OpenDifference, ...] = ()
    groups: tuple[BankPair, ...] = ()
    first_on: date | None = None
    last_on: date | None = None


def take_in(
    database: Database, name: str, content: bytes, terms: BankTerms, *, now: datetime, who: str
) -> TakenFile:
    """
    Keep the lines of a bank's file, each once whatever file tells of it; the same file adds none.

    Lines that are no deposits of ours by the settings are counted and not kept. Raises Misuse for
    a file that cannot be read; nothing of it is kept then.
    """
    kind, read = _read(content, terms.layout)
    ours = [line for line in read if _is_ours(line, terms.texts)]
    days = [line.posted_on for line in read]
    first, last = (min(days), max(days)) if days else (None, None)
    sha256 = hashlib.sha256(content).hexdigest()
    with database.writing() as books:
        known = books.scalar(sa.select(bank_file.c.name).where(bank_file.c.sha256 == sha256))
        file = {
            "sha256": sha256, "name": name[:200], "format": kind, "first_on": first,
            "last_on": last, "lines": len(read), "taken_in_at": now, "taken_in_by": who,
        }  # fmt: skip
        books.execute(insert_new(books.dialect.name, bank_file), file)
        new = _insert(books, sha256, ours)
        if known is None or new:
            detail = f"{name[:200]}: {len(read)} lines, {new} new"
            record_audit(books, now, who, "take in bank file", sha256[:16], detail)
    return TakenFile(
        name, kind, len(read), new, len(read) - len(ours), first, last, known is not None
    )


def _read(content: bytes, layout: CsvLayout) -> tuple[str, list[BankLine]]:
    if len(content) > LARGEST:
        raise Misuse(f"The bank's file has more than {LARGEST // 1_000_000} MB.", BAD_FILE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if not text.strip():
        raise Misuse("The bank's file is empty.", BAD_FILE)
    if "\x00" in text:
        raise Misuse("The bank's file is no text: neither BAI2 nor CSV.", BAD_FILE)
    if is_bai2(text):
        return "bai2", list(read_bai2(text))
    return "csv", list(read_table(text, layout))


def _is_ours(line: BankLine, texts: Sequence[str]) -> bool:
    words = f"{line.reference} {line.text}".casefold()
    return not texts or any(one.casefold() in words for one in texts)


def _insert(books: Connection, sha256: str, lines: Iterable[BankLine]) -> int:
    """Insert the lines that no file told of before; two alike in one file are two."""
    alike: Counter[tuple[object, ...]] = Counter()
    rows = {}
    for line in lines:
        said = (line.bank_account, line.posted_on, line.amount, line.reference, line.text)
        alike[said] += 1
        name = "\x1f".join((*map(str, said), str(alike[said])))
        key = hashlib.sha256(name.encode()).hexdigest()
        rows[key] = {
            "key": key, "file": sha256, "row": line.row, "bank_account": line.bank_account,
            "posted_on": line.posted_on, "amount": line.amount,
            "reference": line.reference[:100], "text": line.text[:300],
        }  # fmt: skip
    known = set(books.scalars(sa.select(bank_line.c.key)))
    new = [row for key, row in rows.items() if key not in known]
    if new:
        books.execute(bank_line.insert(), new)
    return len(new)


def read_standing(database: Database, nearness: Nearness) -> BankStanding:
    """Match all that the bank told with all payouts; what a person has settled is left out."""
    with database.reading() as books:
        first, last = books.execute(
            sa.select(sa.func.min(bank_file.c.first_on), sa.func.max(bank_file.c.last_on))
        ).one()
        entries = [_to_entry(row) for row in books.execute(sa.select(bank_line))]
        paid = settlement.c
        payouts = [
            Payout(row.settlement_id, row.pays_out_on, row.net, row.gateway)
            for row in books.execute(
                sa.select(paid.settlement_id, paid.pays_out_on, paid.net, paid.gateway)
            )
        ]
        settled = set(books.scalars(sa.select(settled_item.c.item)))
    if first is None:
        return BankStanding()
    pairs = match_lines(entries, payouts, nearness, (first, last))
    agreeing = [pair for pair in pairs if pair.difference is None]
    matched = [payout.net for pair in agreeing for payout in pair.payouts]
    groups = tuple(pair for pair in agreeing if pair.more_entries or pair.more_payouts)
    different = [_to_difference(pair) for pair in pairs if pair.difference is not None]
    open_ones = tuple(one for one in different if one.item not in settled)
    total = Money.total(matched)
    return BankStanding(len(matched), total, open_ones, groups, first_on=first, last_on=last)


def _to_entry(row: sa.Row[tuple[object, ...]]) -> BankEntry:
    words = f"{row.reference} {row.text}".strip()
    return BankEntry(row.key, row.posted_on, row.amount, words, row.bank_account)


def _to_difference(pair: BankPair) -> OpenDifference:
    """Name a difference by the bank's line, where it has one: by what it says, for good."""
    assert pair.difference is not None
    if pair.entry is not None:
        other = f"/{pair.payout.name}" if pair.payout is not None else ""
        item = f"{BANK}{pair.entry.key[:16]}{other}"
    else:
        assert pair.payout is not None
        item = f"{PAYOUT}{pair.payout.name}"
    return OpenDifference(item, pair.difference, pair.entry, pair.payout)


def settle_difference(
    database: Database, item: str, reason: str, nearness: Nearness, *, now: datetime, who: str
) -> OpenDifference:
    """
    Take a person's word that a difference between bank and payouts is settled; audited.

    Raises Misuse where no difference of that name is open.
    """
    found = [one for one in read_standing(database, nearness).differences if one.item == item]
    if not found:
        raise Misuse(
            f"No difference {item} is open; `billclose deposits match` names those that are.",
            "unknown-difference",
        )
    with database.writing() as books:
        row = {"item": item, "reason": reason, "settled_at": now, "settled_by": who}
        books.execute(insert_new(books.dialect.name, settled_item), row)
        amount = found[0].entry.amount if found[0].entry else found[0].payout.net  # type: ignore[union-attr]
        detail = f"{found[0].difference}, {amount.dollars()}; {reason}"
        record_audit(books, now, who, "settle bank difference", item, detail)
    return found[0]
