"""What an export has that nothing is made of, and what it could have: named, never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from billing_system.export.columns import REQUIRED, TABLES, Table
from billing_system.export.fields import MANIFEST
from billing_system.export.manifest import Manifest
from billing_system.export.names import nearest
from billing_system.export.rows import unused_headings
from billing_system.export.table_files import TableFile
from billing_system.export_files import Place
from billing_system.port import Note, NoteKind
from domain.failures import Misuse

TABLE_ENDINGS = (".csv", ".txt", ".tsv", ".xls", ".xlsx", ".dat")
_NOBODYS = ("thumbs.db", "desktop.ini", "__macosx/")  # what systems leave in folders
USUAL_ENCODING = "utf-8-sig"
_MOST = 200  # notes that are kept of each kind and file
_LONGEST = 100  # characters of a name


class Notes:
    """The notes about one export, as its files are opened."""

    def __init__(self, place: Place, manifest: Manifest) -> None:
        self._place = place
        self._manifest = manifest
        self._of_tables: list[Note] = []

    def add_table(self, table: Table, source: TableFile, renamed: Mapping[str, str]) -> None:
        """Note what of a table is not used, and which optional columns it does not have."""
        unused, absent = unused_headings(table, source, renamed)
        for heading in unused[:_MOST]:
            known = heading.casefold() in table.unread
            said = "is known and not used yet" if known else "is not used"
            name = heading[:_LONGEST]
            message = f'{source.file}: the column "{name}" {said}'
            self._of_tables.append(Note(NoteKind.UNUSED_HEADING, source.file, name, message))
        for column in absent:
            message = f"{source.file}: there is no column {column}; all rows count as without it"
            self._of_tables.append(Note(NoteKind.ABSENT_COLUMN, source.file, column, message))
        if source.encoding != USUAL_ENCODING:
            message = f"{source.file}: read as {source.encoding}; look at a name with accents"
            note = Note(NoteKind.READ_AS, source.file, source.encoding, message)
            self._of_tables.append(note)

    def all(self) -> tuple[Note, ...]:
        """Return all notes: keys, files, then what was noted of the tables."""
        return (*self._manifest.notes, *self._of_files(), *self._of_tables)

    def _of_files(self) -> Iterator[Note]:
        for name in _unused_files(self._place, self._manifest):
            yield Note(NoteKind.UNUSED_FILE, name, name, f"{name}: this file is not used")
        for name in self._place.stray[:_MOST]:
            message = f"{name}: lies beside the export in the .zip and is not used"
            yield Note(NoteKind.UNUSED_FILE, name[:255], name[:_LONGEST], message)
        for table in TABLES:
            file = self._manifest.file_of(table)
            if table not in REQUIRED and not (file and self._place.has(file)):
                message = f"{table.file}: there is no such file; nothing of it is known"
                yield Note(NoteKind.ABSENT_FILE, table.file, table.file, message)


def refuse_near_files(place: Place, manifest: Manifest) -> None:
    """Raise Misuse for a file that nearly has the name of one of ours which is not there."""
    absent = [
        table.name
        for table in TABLES
        if table.name not in manifest.files and not place.has(table.file)
    ]
    for name in _unused_files(place, manifest):
        stem = _stem(name)
        if stem is None:
            continue
        near = nearest(stem, absent)
        if near is not None:
            raise Misuse(
                f'The export holds {name}; did you mean "{near}.csv"? Rename it, or say in '
                f'{MANIFEST}: [files] {near} = "{name}" (or {near} = "" if it is something '
                "else)",
                "bundle",
            )


def _stem(name: str) -> str | None:
    """Return a table file's name without its endings, None for another kind of file."""
    lower = name.casefold()
    if not lower.endswith(TABLE_ENDINGS):
        return None
    while lower.endswith(TABLE_ENDINGS):
        lower = lower.rpartition(".")[0]
    return lower


def _unused_files(place: Place, manifest: Manifest) -> list[str]:
    used = {MANIFEST, *(bulk.file.casefold() for bulk in manifest.bulk_files)}
    used |= {manifest.file_of(table).casefold() for table in TABLES}
    folders = {file.partition("/")[0] + "/" for file in used if "/" in file}
    return [name for name in _of_people(place.names()) if name.casefold() not in used | folders]


def _of_people(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not name.startswith(".") and name.casefold() not in _NOBODYS:
            yield name[:255]
