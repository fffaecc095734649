"""A backup: the books, the bills and all that the home holds, in one file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import sqlalchemy as sa

from database.books import Database
from database.definitions.making import EXTENSION, TRIGRAMS
from database.migrating import NEWEST, revision_of
from database.migrations.carrying import earlier_states
from domain.failures import Misuse, PermanentFailure
from office.equipment.office import Office
from office.secrets.prefect_access import FILE as PREFECT_SECRET
from office.secrets.sources import without_written_secrets
from office.settings.settings import FILE as SETTINGS
from office.settings.settings import Settings, read_settings


def run_postgres(program: str, url: str, *words: str) -> str:
    """
    Run one of PostgreSQL's programs on a database, and return what it says.

    The password is on no command line.

    Raises Misuse where it is not installed, PermanentFailure where it fails.
    """
    parts = sa.make_url(url)
    plain = parts.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(parts.password)} if parts.password else {}
    command = [str(_program(program)), f"--dbname={plain}", *words]
    done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise PermanentFailure(f"{program} ended with status {done.returncode} and said: {said}")
    return done.stdout


def _program(name: str) -> Path:
    """Return the newest one: pg_dump must not be older than the server."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda at: int(at.parts[-3])
    )
    found = str(installed[-1]) if installed else shutil.which(name)
    if not found:
        raise Misuse(f"{name} is not installed (Debian: postgresql-client).", "backup")
    return Path(found)


_OF_TRIGRAMS = re.compile(rf" EXTENSION (- )?{EXTENSION} | INDEX \S+ ix_\w+_{TRIGRAMS} ")
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


def back_up(office: Office, target: Path, now: datetime) -> Backup:
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
                _pack(office, packing)
            file.flush()
            os.fsync(file.fileno())
        size = partial.stat().st_size
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Backup(len(packing.hashes), size, tuple(_missing(office.settings)))


def _pack(office: Office, packing: _Packing) -> None:
    if office.database.is_sqlite:
        packing.add_sqlite(office.home / OWN_BOOKS, BOOKS)
    else:
        packing.add_file(_dump(office.database.url, packing.place / DUMP), DUMP)
    for path in _files(office.home):
        name = f"{HOME}/{path.relative_to(office.home)}"
        if path == office.home / SETTINGS:
            text = without_written_secrets(Settings, path.read_text(encoding="utf-8"))
            packing.add_text(text, name)
        elif path.suffix == ".db":
            packing.add_sqlite(path, name)
        else:
            packing.add_file(path, name)
    manifest = {
        "format": FORMAT,
        "made_at": packing.now.isoformat(),
        "version": office.version,
        "schema": revision_of(office.database),
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


def restore(source: Path, home: Path) -> dict[str, Any]:
    """
    Put a backup into a home that is empty or not there, and return its manifest.

    Every file is compared with its hash before anything of it is used. Books of PostgreSQL go
    into the database that BILLCLOSE_DATABASE__URL names, which must be empty. A folder that is
    there stays the same one: it may be a disk of its own, or all that we may write to. Raises
    Misuse where the backup is damaged or something is in the way.
    """
    whole = home.absolute()
    partial = whole.with_name(f".{whole.name}.{os.getpid()}")
    try:
        if is_there := whole.exists():
            if not whole.is_dir() or any(whole.iterdir()):
                raise Misuse(f"{home} is not empty; restore into a new home.", "home")
            partial = whole / partial.name
        partial.mkdir(mode=0o700, parents=True)
        manifest = _unpack(source, partial)
        content = partial / HOME
        content.mkdir(mode=0o700, exist_ok=True)
        _restore_books(partial, content)
        if is_there:
            for one in sorted(content.iterdir(), key=lambda one: one.name == SETTINGS):
                one.rename(whole / one.name)  # the settings last: before them there is no office
        else:
            content.rename(whole)
    except OSError as fault:
        raise Misuse(f"{home} cannot be made: {fault.strerror}.", "home") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _unpack(source: Path, to: Path) -> dict[str, Any]:
    damaged = Misuse(f"{source} is damaged or no backup; take another one.", "backup")
    try:
        with tarfile.open(source, "r:gz") as tar:
            for member in tar:
                if not _is_plain(member):
                    raise damaged
                member.uid, member.gid, member.uname, member.gname = (
                    os.getuid(),
                    os.getgid(),
                    "",
                    "",
                )
                tar.extract(member, to)
    except FileNotFoundError:
        raise Misuse(f"There is no backup {source}.", "backup") from None
    except (tarfile.TarError, EOFError, zlib.error, UnicodeDecodeError):
        raise damaged from None
    except OSError as fault:
        if fault.errno is None:  # gzip says so where the file is none
            raise damaged from None
        raise
    try:
        manifest: dict[str, Any] = json.loads((to / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise damaged from None
    _require_known(source, manifest)
    for name, expected in manifest["files"].items():
        if name != MANIFEST and _hash(to / name) != expected:
            raise damaged
    _make_private(to)
    return manifest


def _is_plain(member: tarfile.TarInfo) -> bool:
    """
    Tell whether it is a file that lies below the folder that it is unpacked in, as all of ours do.

    Python has filters for that from 3.11.4 on; the stable Debian has an older 3.11.
    """
    place = PurePosixPath(member.name)
    return member.isreg() and not place.is_absolute() and ".." not in place.parts


def _require_known(source: Path, manifest: dict[str, Any]) -> None:
    """Refuse a backup of a newer program before anything of it stands in the home."""
    version, schema = manifest.get("version"), manifest.get("schema")
    if manifest.get("format") == FORMAT and schema in (NEWEST, *earlier_states()):
        return
    raise Misuse(
        f"{source} was made by another program, release {version} with schema {schema}; this one "
        f"has schema {NEWEST}. Restore it with that program.",
        "backup",
    )


def _hash(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_private(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _restore_books(partial: Path, content: Path) -> None:
    url = read_settings(content).database.url
    is_dump = (partial / DUMP).is_file()
    if is_dump != bool(url):
        where = "PostgreSQL" if is_dump else "SQLite"
        needed = "set BILLCLOSE_DATABASE__URL" if is_dump else "leave database.url empty"
        raise Misuse(f"The books in this backup are of {where}; {needed}.", "backup")
    if not is_dump:
        (partial / BOOKS).rename(content / OWN_BOOKS)
        return
    database = Database(url)
    try:
        if revision_of(database) is not None:
            raise Misuse("The database of BILLCLOSE_DATABASE__URL is not empty.", "backup")
    finally:
        database.close()
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    dump, chosen = str(partial / DUMP), partial / "restored.list"
    listed = run_postgres("pg_restore", url, "--list", dump)
    chosen.write_text(without_trigrams(listed), encoding="utf-8")
    run_postgres("pg_restore", url, *words, f"--use-list={chosen}", dump)


def without_trigrams(listed: str) -> str:
    """
    Leave out of a dump's list what not every server has: the extension, and its indexes.

    They are made when the books are brought up to date, where they can be.
    """
    lines = listed.splitlines(keepends=True)
    return "".join(line for line in lines if not _OF_TRIGRAMS.search(line))
