"""Restoring a backup into a new home."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any

from database.books import Database
from database.migrating import NEWEST, revision_of
from domain.failures import Misuse
from office.backing_up import BOOKS, DUMP, FORMAT, HOME, MANIFEST, OWN_BOOKS
from office.postgres_programs import run_postgres
from office.settings import read_settings


def restore(source: Path, home: Path) -> dict[str, Any]:
    """
    Put a backup into a home that is empty or not there, and return its manifest.

    Every file is compared with its hash before anything of it is used. Books of PostgreSQL go
    into the database that BILLCLOSE_DATABASE__URL names, which must be empty. Raises Misuse where
    the backup is damaged or something is in the way.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Misuse(f"{home} is not empty; restore into a new home.", "home")
    partial = home.absolute().with_name(f".{home.absolute().name}.{os.getpid()}")
    try:
        partial.mkdir(mode=0o700, parents=True)
        manifest = _unpack(source, partial)
        content = partial / HOME
        content.mkdir(mode=0o700, exist_ok=True)
        _restore_books(partial, content)
        if home.exists():
            home.rmdir()
        content.rename(home.absolute())
    except OSError as fault:
        raise Misuse(f"{home} cannot be made: {fault.strerror}.", "home") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _unpack(source: Path, to: Path) -> dict[str, Any]:
    damaged = Misuse(f"{source} is damaged or no backup; take another one.", "backup")
    try:
        with tarfile.open(source, "r:gz") as tar:
            tar.extractall(to, filter="data")
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


def _require_known(source: Path, manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT or str(manifest.get("schema")) > NEWEST:
        version = manifest.get("version")
        raise Misuse(f"{source} was made by release {version}; restore it with that.", "backup")


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
    run_postgres("pg_restore", url, *words, str(partial / DUMP))
