"""The feed as a folder that the billing system writes into, and reads our `out/` of."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from tempfile import NamedTemporaryFile

from billing_system.export_files import Folder
from billing_system.feed.port import FeedFile
from billing_system.feed.reading import READ_NAMES, fingerprint, read_feed_file
from domain.failures import Misuse, Refused, TemporaryFailure
from domain.feeds import Acknowledgement, Choice

OUT, TAKEN_IN = "out", "taken-in"
OUT_HEADINGS = ("id", "account_number", "field", "value", "at", "by")
_UNFINISHED = (".part", ".tmp", ".partial")


class FolderFeed:
    """
    Takes in what lies in a folder: folders and .zips, and tables that lie there directly.

    What begins with a period or ends in .part or .tmp is still being written. Tables that lie there
    directly are one file together. What is in the books is put away in `taken-in/`; what cannot be
    read stays where it is. Choices leave as one CSV file each time in `out/`; what became of them
    comes back in an acknowledgements.csv.
    """

    name = "feed folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new_files(self, after: int | None) -> Iterator[FeedFile]:
        read, faults = [], list[Misuse | Refused]()
        for path in self._list():
            try:
                read.append(self._read(path))
            except (Misuse, Refused) as fault:
                faults.append(fault)
        last = max((one.sequence or 0 for one in read), default=0)
        yield from sorted(read, key=lambda one: (one.sequence or last, one.name))
        if faults:
            raise faults[0]

    def mark_taken_in(self, file: FeedFile) -> None:
        """Put away a file; what was written anew since it was read stays, and is read once more."""
        for path in self._list():
            if path.resolve().name[:255] == file.name and fingerprint(path) == file.sha256:
                try:
                    self._put_away(path, f"{file.sha256[:12]}-{file.name}")
                except OSError as fault:
                    why = f"{file.name} cannot be put away: {fault.strerror}"
                    raise TemporaryFailure(why) from None
                return

    def _put_away(self, path: Path, name: str) -> None:
        """Move a file to those taken in; one that came again lies beside the first."""
        put_away = self._folder / TAKEN_IN
        put_away.mkdir(mode=0o700, exist_ok=True)
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        target = next(put_away / one for one in names if not (put_away / one).exists())
        if path != self._folder:
            path.rename(target)
            return
        target.mkdir(mode=0o700)
        for table in list(self._tables()):
            table.rename(target / table.name)

    def tell(self, choices: list[Choice]) -> list[Acknowledgement]:
        """Write choices to `out/`, whole or not at all; the file's name says which they are."""
        if not choices:
            return []
        out = self._folder / OUT
        name = f"changes-{choices[0].number:08d}-{choices[-1].number:08d}.csv"
        try:
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=out, prefix=".", delete=False) as file:  # mode 0600
                file.write(_to_table(choices))
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(out / name)
        except OSError as fault:
            raise TemporaryFailure(f"{out} cannot be written: {fault.strerror}") from None
        return []

    def ask(self, choices: list[Choice]) -> list[Acknowledgement]:
        """Say nothing: what became of them comes with a file of the feed."""
        return []

    def close(self) -> None:
        """Keep nothing open."""

    def _list(self) -> Iterator[Path]:
        if not self._folder.is_dir():
            raise TemporaryFailure(f"{self._folder} is not there or no folder")
        tables = set(self._tables())
        if tables:
            yield self._folder
        yield from filter(_is_file, sorted(set(self._folder.iterdir()) - tables))

    def _tables(self) -> Iterator[Path]:
        """Find the tables that lie directly in the folder: they are one file of the feed."""
        place = Folder(self._folder)
        found = (place.find(name) for name in READ_NAMES)
        yield from (self._folder / name for name in found if name is not None)

    def _read(self, path: Path) -> FeedFile:
        """Read a file; what lies beside the tables of the folder itself is read on its own."""
        file = read_feed_file(path)
        if path != self._folder:
            return file
        return replace(file, unused=tuple(one for one in file.unused if ": " in one))


def _is_file(path: Path) -> bool:
    """Tell a finished file of the feed from our own folders and from what is still written."""
    name = path.name.casefold()
    if name in (OUT, TAKEN_IN) or name.startswith(".") or name.endswith(_UNFINISHED):
        return False
    return path.is_dir() or path.suffix.casefold() in (".zip", ".csv")


def _to_table(choices: list[Choice]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(OUT_HEADINGS)
    for one in choices:
        at = one.at.isoformat(timespec="seconds")
        table.writerow((one.number, one.account, one.field, one.value, at, one.by))
    return text.getvalue().encode()
