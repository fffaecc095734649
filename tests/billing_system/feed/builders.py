"""Files of the feed as a billing system writes them."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from billing_system.feed.changing import record_changes
from billing_system.feed.findings import Findings
from database.books import Database
from database.ledger.tables import feed_file
from domain.feeds import AccountChange, ChangeField, FeedKind, FeedMovement
from domain.money import ZERO, Money

MOVEMENT_HEADINGS = ("movement_id", "account_number", "date", "type", "amount", "reference")
A_PAYMENT = ("M1", "01.1037.1", "2026-11-10", "payment", "-40.00", "")


def write_feed(
    folder: Path,
    *movements: Sequence[str],
    headings: Sequence[str] = MOVEMENT_HEADINGS,
    heading: str = "",
    changes: Sequence[Sequence[str]] = (),
    acknowledgements: Sequence[Sequence[str]] = (),
) -> Path:
    """Write a folder as the billing system does; `changes` begin with their headings."""
    folder.mkdir(parents=True, exist_ok=True)
    if movements or not (heading or changes or acknowledgements):
        write_table(folder / "movements.csv", [headings, *movements])
    if changes:
        write_table(folder / "changes.csv", changes)
    if acknowledgements:
        write_table(folder / "acknowledgements.csv", acknowledgements)
    if heading:
        (folder / "feed.toml").write_text(heading, encoding="utf-8")
    return folder


def write_table(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def zipped(folder: Path, top: str = "") -> Path:
    """Pack a folder as it is, or below one of its own."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{top}{file.name}")
    return path


def a_movement(movement_id: str = "M1", amount: str = "-40.00", **changes) -> FeedMovement:
    facts = {
        "movement_id": movement_id,
        "account": "01.1037.1",
        "happened_on": date(2026, 11, 10),
        "kind": FeedKind.PAYMENT if amount.startswith("-") else FeedKind.ADJUSTMENT,
        "amount": Money.parse(amount),
    }
    return FeedMovement(**{**facts, **changes})


def at(written: str) -> datetime:
    """Read a moment in UTC."""
    return datetime.fromisoformat(f"{written}+00:00")


def tell_change(
    database: Database, name: str, value: str, told_at: datetime, *, key: str = "1"
) -> None:
    """Enter what a file of the feed, written then, says of an account."""
    with database.writing() as books:
        inserted = feed_file.insert().values(
            name="night", written_at=told_at, received_at=told_at, sha256="0" * 64, movements=0,
            amount=ZERO,
        )  # fmt: skip
        number = books.execute(inserted.returning(feed_file.c.number)).scalar_one()
        values = {ChangeField(name): value}
        change = AccountChange(key, values)
        record_changes(books, number, [change], told_at, told_at, "feed", Findings(number, told_at))
