"""What of a staged export is not used, is absent, or was read in another way."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import export_note

ABSENT = ("absent-file", "absent-column")


@dataclass(frozen=True, slots=True)
class ExportNote:
    """One thing that stops nobody and that somebody should have read; no personal data."""

    kind: str
    file: str
    name: str
    message: str

    @property
    def is_absence(self) -> bool:
        return self.kind in ABSENT

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def list_export_notes(books: Connection, period: str) -> tuple[ExportNote, ...]:
    """List the notes about a period's export, in the order of its files."""
    columns = (export_note.c.kind, export_note.c.file, export_note.c.name, export_note.c.message)
    rows = books.execute(
        sa.select(*columns).where(export_note.c.period == period).order_by(export_note.c.line)
    )
    return tuple(ExportNote(*row) for row in rows)


def note_lines(notes: tuple[ExportNote, ...]) -> list[str]:
    """Write notes for the terminal: each by itself, what is absent in one line a file."""
    lines = [note.message for note in notes if not note.is_absence]
    files = [note.file for note in notes if note.kind == "absent-file"]
    if files:
        lines.append(f"not in the export: {', '.join(files)}")
    columns: dict[str, list[str]] = {}
    for note in notes:
        if note.kind == "absent-column":
            columns.setdefault(note.file, []).append(note.name)
    return lines + [f"not in {file}: {', '.join(names)}" for file, names in columns.items()]
