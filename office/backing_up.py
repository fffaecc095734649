"""A backup: the books, the bills and all that the home holds, in one file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from database.migrating import revision_of
from domain.failures import Misuse
from office.postgres_programs import run_postgres
from office.prefect_access import FILE as PREFECT_SECRET
from office.secret_sources import without_written_secrets
from office.settings import FILE as SETTINGS
from office.settings import Settings
from office.wiring import Office

BOOKS, DUMP, MANIFEST, HOME = "books.db", "books.dump", "manifest.json", "home"
OWN_BOOKS = "billclose.db"
LEFT_OUT = ("logs", "prefect")  # folders: what was logged, and what Prefect shows of it
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds; `missing` are sentences about what it does not."""

    files: int
    size: int
    missing: tuple[str, ...]


def back_up(here: Office, target: Path, now: datetime) -> Backup:
    """
    Write a backup, whole or not at all, while the office may go on working.

    The books come first: what a step files after that is there too early, which does no harm, and
    nothing that the books name is missing. Passwords are left out. Raises Misuse where the target
    cannot be written, PermanentFailure where pg_dump fails.
    """
    if target.exists():
        raise Misuse(f"{target} exists; a backup is never overwritten.", "backup")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise Misuse(f"{target} cannot be written: {fault.strerror}.", "backup") from None
    try:
        with os.fdopen(opened, "wb") as file, tempfile.TemporaryDirectory(dir=target.parent) as at:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
                packing = _Packing(tar, Path(at), now)
                _pack(here, packing)
            file.flush()
            os.fsync(file.fileno())
        size = partial.stat().st_size
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Backup(len(packing.hashes), size, tuple(_missing(here.settings)))


def _pack(here: Office, packing: _Packing) -> None:
    if here.database.is_sqlite:
        packing.add_sqlite(here.home / OWN_BOOKS, BOOKS)
    else:
        packing.add_file(_dump(here.database.url, packing.place / DUMP), DUMP)
    for path in _files(here.home):
        name = f"{HOME}/{path.relative_to(here.home)}"
        if path == here.home / SETTINGS:
            text = without_written_secrets(Settings, path.read_text(encoding="utf-8"))
            packing.add_text(text, name)
        elif path.suffix == ".db":
            packing.add_sqlite(path, name)
        else:
            packing.add_file(path, name)
    manifest = {
        "format": FORMAT,
        "made_at": packing.now.isoformat(),
        "version": here.version,
        "schema": revision_of(here.database),
        "files": packing.hashes,
    }
    packing.add_text(json.dumps(manifest, indent=1), MANIFEST)


def _files(home: Path) -> Iterator[Path]:
    """Yield what is kept: no links, no half-written files, nothing that is made anew."""
    for path in sorted(home.rglob("*")):
        within = path.relative_to(home)
        is_ours = within.parts[0] in (*LEFT_OUT, PREFECT_SECRET, OWN_BOOKS)
        is_journal = path.name.endswith((".db-wal", ".db-shm", ".db-journal"))
        if path.is_file() and not path.is_symlink() and not is_ours and not is_journal:
            yield path


def _missing(settings: Settings) -> Iterator[str]:
    yield "Passwords and tokens: keep them where you keep the office's other ones."
    store = settings.bills.store
    if "://" in store or Path(store).is_absolute() or ".." in Path(store).parts:
        yield f"The bills in {store}: that store needs a backup of its own, from the same day."
    drop = settings.cash_receipting.folder
    if settings.cash_receipting.system == "file" and Path(drop).is_absolute():
        yield f"The import files in {drop}."


class _Packing:
    """A backup being written, with the hash of each file."""

    def __init__(self, tar: tarfile.TarFile, place: Path, now: datetime) -> None:
        self.tar = tar
        self.place = place
        self.now = now
        self.hashes: dict[str, str] = {}

    def add_sqlite(self, path: Path, name: str) -> None:
        """Add a database as it is at one moment, whoever writes to it meanwhile."""
        copy = self.place / "copy.db"
        with (
            contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target, pages=1000)
        self.add_file(copy, name)
        copy.unlink()

    def add_file(self, path: Path, name: str) -> None:
        """Add a file; one that is gone by now was no part of the office any more."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            self._add(file, os.fstat(file.fileno()).st_size, name)

    def add_text(self, text: str, name: str) -> None:
        content = text.encode()
        self._add(io.BytesIO(content), len(content), name)

    def _add(self, file: IO[bytes], size: int, name: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(self.now.timestamp())
        hashing = _Hashing(file)
        self.tar.addfile(entry, hashing)
        self.hashes[name] = hashing.digest.hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(size)
        self.digest.update(content)
        return content


def _dump(url: str, to: Path) -> Path:
    run_postgres("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")
    return to
