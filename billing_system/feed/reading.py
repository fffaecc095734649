"""A file of the feed as it comes: a folder, a .zip or one CSV table, and its feed.toml."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from billing_system.export.columns import Table
from billing_system.export.fields import MANIFEST, show
from billing_system.export.rows import UNREADABLE, RowReader, unused_headings
from billing_system.export.table_files import TableFile, open_table
from billing_system.export_files import Folder, ZipFolder
from billing_system.feed.columns import ACKNOWLEDGEMENTS, CHANGES, MOVEMENTS, TABLES
from billing_system.feed.port import Announced, FeedFile
from domain.failures import Misuse, Refused
from domain.feeds import FeedMovement
from domain.money import Money
from domain.problems import Problem

HEADING = "feed.toml"
KEYS = ("utility", "sequence", "written_at", "movements", "amount")
LARGEST_HEADING = 100_000  # bytes
LARGEST_SEQUENCE = 10**9


class OneTable:
    """A single CSV file, taken for the table that its name or its headings say."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _table_of(path).file

    def names(self) -> list[str]:
        return [self._file]

    def has(self, file: str) -> bool:
        return file == self._file

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]:
        return self._path.open("rb")


Place = Folder | ZipFolder | OneTable
READ_NAMES = (HEADING, *(table.file for table in TABLES))


def read_feed_file(source: Path) -> FeedFile:
    """
    Read what the billing system wrote at a path.

    Raises Misuse where the file as a whole is wrong: no such path, none of its tables, a heading
    that is nearly one of ours, a broken feed.toml, or sums that are not those it announces.
    Refused (`feed-unstable`) where it is written on while it is read. Wrong rows are problems.
    """
    place = open_feed(source)
    heading = _read_heading(place)
    before = _hash(place)
    problems = list[Problem]()
    tables = {table.name: list(_rows(place, table, problems)) for table in TABLES}
    if _hash(place) != before:
        raise Refused(
            "feed-unstable",
            f"{source.name} changed while it was read; wait until it is written whole and take "
            "it in again.",
        )
    file = FeedFile(
        source.resolve().name[:255],
        before,
        *heading,
        movements=tuple(_once(tables[MOVEMENTS.name], problems)),
        changes=tuple(value for _, value in tables[CHANGES.name]),
        acknowledgements=tuple(value for _, value in tables[ACKNOWLEDGEMENTS.name]),
        problems=tuple(problems),
        unused=tuple(_unused(place)),
    )
    _require_whole(file)
    return file


def open_feed(source: Path) -> Place:
    """Find out what a feed file lies in; raises Misuse where it is none."""
    if not source.exists():
        raise Misuse(f"{source} does not exist; give the feed's folder, .zip or .csv", "feed")
    place: Place
    if source.is_dir():
        place = Folder(source)
    elif zipfile.is_zipfile(source):
        place = ZipFolder(source)
    elif source.suffix.casefold() == ".csv":
        return OneTable(source)
    else:
        raise Misuse(f"{source} is no folder, .zip or .csv; give a file of the feed", "feed")
    if place.has(MANIFEST):
        raise Misuse(
            f"{source.name} is a billing export ({MANIFEST}) and no feed; close it with "
            "`billclose close`",
            "feed",
        )
    _require_tables(source, place)
    return place


def fingerprint(source: Path) -> str:
    """Hash what lies at a path as `read_feed_file` does; raises Misuse where it is no feed."""
    return _hash(open_feed(source))


def is_feed(place: Folder | ZipFolder) -> bool:
    """Tell whether a folder or .zip holds anything of a feed."""
    return place.has(HEADING) or any(place.has(table.file) for table in TABLES)


def _require_tables(source: Path, place: Folder | ZipFolder) -> None:
    """Raise Misuse for a folder without our tables, and for one whose name is nearly ours."""
    ours = [table.file for table in TABLES]
    for name in place.names():
        if name.casefold().endswith(".csv") and name not in ours:
            near = get_close_matches(name.casefold(), ours, n=1, cutoff=0.75)
            if near and not place.has(near[0]):
                raise Misuse(
                    f"{source.name} holds {name[:80]}; did you mean {near[0]}? Name it so.", "feed"
                )
    if not is_feed(place):
        held = ", ".join(place.names())[:300] or "nothing"
        raise Misuse(
            f"{source.name} holds {held}; a feed is {', '.join(ours[:2])}, or {HEADING} alone on "
            "a day without any",
            "feed",
        )


def _table_of(path: Path) -> Table:
    for table in TABLES:
        if path.stem.casefold().startswith(table.name):
            return table
    with path.open("rb") as stream:
        headings = stream.readline(10_000).decode("utf-8", "replace").casefold()
    return MOVEMENTS if "movement" in headings or "amount" in headings else CHANGES


def _unused(place: Place) -> Iterator[str]:
    """Name what nobody reads: headings that are none of ours, and other files."""
    for table in TABLES:
        if place.has(table.file):
            source = _open(place, table)
            for heading in unused_headings(table, source, {})[0]:
                yield f"{table.file}: {heading[:60]}"
    yield from (name[:80] for name in place.names() if name not in READ_NAMES and "." in name[1:])


def _open(place: Place, table: Table) -> TableFile:
    needed = [column.name for column in table.columns if not column.optional]
    return open_table(place, table.file, needed, is_mapped=table.is_mapped)


def _rows(place: Place, table: Table, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    if place.has(table.file):
        reader = RowReader(table, _open(place, table), {}, {})
        for raw, value in reader.read(problems.append):
            if value is not None:
                yield raw.row, value


def _once(rows: list[tuple[int, FeedMovement]], problems: list[Problem]) -> Iterator[FeedMovement]:
    """Yield each movement once; one that stands twice and says two things cannot be read."""
    first: dict[str, tuple[int, FeedMovement]] = {}
    for row, movement in rows:
        known_row, known = first.setdefault(movement.movement_id, (row, movement))
        if known_row == row:
            yield movement
        elif known != movement:
            message = (
                f"{MOVEMENTS.file} row {row} has the movement of row {known_row} with another "
                "content; give each movement its own id"
            )
            problems.append(Problem(UNREADABLE, message, movement.account, MOVEMENTS.file, row))


def _require_whole(file: FeedFile) -> None:
    """Raise Misuse where the readable rows are not what feed.toml announces."""
    if any(problem.file == MOVEMENTS.file for problem in file.problems):
        return  # each unreadable row is named; the sums cannot agree
    said = file.announced
    if said.movements not in (None, len(file.movements)):
        raise Misuse(
            f"{file.name} holds {len(file.movements)} movements and {HEADING} says "
            f"{said.movements}; it was not written whole",
            "feed",
        )
    if said.amount not in (None, file.amount):
        raise Misuse(
            f"{file.name} adds up to {file.amount} and {HEADING} says {said.amount}; it was not "
            "written whole",
            "feed",
        )


def _hash(place: Place) -> str:
    """Hash the files that are read, under their names: a folder and its .zip have the same."""
    lines = []
    for file in READ_NAMES:
        if place.has(file):
            with place.open(file) as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            lines.append(f"{digest}  {file}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


Heading = tuple[str, int | None, datetime | None, Announced]


def _read_heading(place: Place) -> Heading:
    if not place.has(HEADING):
        return "", None, None, Announced()
    with place.open(HEADING) as stream:
        content = stream.read(LARGEST_HEADING + 1)
    return parse_heading(content)


def parse_heading(content: bytes) -> Heading:
    """Read a feed.toml: utility, sequence, written_at, announced; raises Misuse."""
    try:
        if len(content) > LARGEST_HEADING:
            raise ValueError("it is far too long")
        values = tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{HEADING} is not valid TOML in UTF-8: {error}; correct it", "feed") from None
    for key in sorted(set(values) - set(KEYS)):
        if near := get_close_matches(key, KEYS, n=1, cutoff=0.7):
            raise _fault(key, f'is unknown; did you mean "{near[0]}"?')
    announced = Announced(_whole(values, "movements"), _money(values))
    return _utility(values), _whole(values, "sequence"), _written_at(values), announced


def _fault(key: str, what: str) -> Misuse:
    return Misuse(f"{HEADING}, {key}: {what}", "feed")


def _utility(values: Mapping[str, Any]) -> str:
    name = values.get("utility", "")
    if isinstance(name, dict):
        name = name.get("name", "")
    if not isinstance(name, str) or len(name) > 200 or not name.isprintable():
        raise _fault("utility", f"is {show(name)}; write the utility's name in quotation marks")
    return name.strip()


def _whole(values: Mapping[str, Any], key: str) -> int | None:
    value = values.get(key)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (is_whole and 0 <= value < LARGEST_SEQUENCE):
        raise _fault(key, f"is {show(value)}; write a whole number")
    return value


def _money(values: Mapping[str, Any]) -> Money | None:
    value = values.get("amount")
    if value is None:
        return None
    try:
        is_amount = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
        return Money.parse(str(value) if is_amount else "")
    except ValueError:
        raise _fault("amount", f'is {show(value)}; write it as "-1027.35"') from None


def _written_at(values: Mapping[str, Any]) -> datetime | None:
    value = values.get("written_at")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _fault("written_at", f"is {show(value)}; write 2026-11-30T17:00:00") from None
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is not None):
        raise _fault(
            "written_at", f"is {show(value)}; write a local time without a zone: 2026-11-30T17:00"
        )
    return value
