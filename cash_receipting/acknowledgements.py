"""Answer files of a cash-receipting system: which postings it took, and which it refused."""

from __future__ import annotations

import csv
from pathlib import Path

from cash_receipting.tray import Tray

PATTERN = "*.ack.csv"
READ, UNREADABLE = "answered", "unreadable"  # folders that answer files are moved to
COLUMNS = {"key", "status", "receipt", "reason"}
ACCEPTED, REJECTED = "accepted", "rejected"

Answer = tuple[str | None, str | None, str]  # receipt, refusal, key


def read_answers(folder: Path, tray: Tray) -> None:
    """
    Record every answer file of a folder and move it away: `answered`, or `unreadable`.

    A file has the columns key, status (accepted or rejected), receipt, reason. One with a single
    line that cannot be understood is left whole to a person: half an answer is none.
    """
    for file in sorted(folder.glob(PATTERN)):
        try:
            answers = parse_answers(file.read_text(encoding="utf-8-sig"))
        except ValueError:
            _move(file, folder / UNREADABLE)
            continue
        tray.answer(answers)
        _move(file, folder / READ)


def parse_answers(text: str) -> list[Answer]:
    """Read the lines of an answer file; raises ValueError for one that cannot be understood."""
    lines = csv.DictReader(text.splitlines(), strict=True)
    try:
        if not COLUMNS.issubset(lines.fieldnames or ()):
            raise ValueError("columns are missing")
        return [_to_answer(line) for line in lines]
    except csv.Error as wrong:
        raise ValueError(str(wrong)) from None


def _to_answer(line: dict[str, str | None]) -> Answer:
    key, status, receipt = ((line[name] or "").strip() for name in ("key", "status", "receipt"))
    if key and status == ACCEPTED and receipt:
        return receipt, None, key
    if key and status == REJECTED:
        return None, " ".join((line["reason"] or "").split())[:200], key
    raise ValueError(f"a line for {key or 'no key'} is neither accepted nor rejected")


def _move(file: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / file.name
    count = 1
    while place.exists():
        count += 1
        place = folder / f"{file.name}.{count}"
    file.rename(place)
