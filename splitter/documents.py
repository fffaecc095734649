"""A run's bulk files where every machine finds them: in the bill store, by the hash of each."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from database.books import Database
from database.tables import bulk_file
from domain.failures import Misuse, TemporaryFailure
from splitter.filing import BillStore
from splitter.local_files import make_private_folders
from splitter.run_records import StagedFile, staged_files

FOLDER = "exports"


def share_documents(database: Database, run: str, store: BillStore, exports_folder: Path) -> None:
    """
    Put copies of a run's bulk files into a store that other machines reach.

    Each is named by its own hash, which is written into the books when the copy is complete:
    whoever reads there that it is shared can fetch it and see that it is the right one. Done
    again, only what is missing is copied. Copies of the run's earlier exports are removed.
    """
    files = staged_files(database, run, exports_folder)
    if all(file.shared_sha256 for file in files):
        return
    store.delete_run(f"{FOLDER}/{run}")
    for file in files:
        _require_here(file, run)
        sha256 = _hash_of(file.path)
        store.put_file(_name(run, sha256), file.path)
        with database.writing() as books:
            books.execute(
                bulk_file.update()
                .where(bulk_file.c.run == run, bulk_file.c.bulk == file.bulk)
                .values(shared_sha256=sha256)
            )


def fetch_documents(database: Database, run: str, store: BillStore, exports_folder: Path) -> None:
    """
    Copy a run's bulk files from the store to where this machine would have imported them.

    They stay there, for this machine's own user alone, until another export takes the run's
    place. Raises Misuse where they were imported elsewhere and are not shared, TemporaryFailure
    where what the store gives is not what was put there.
    """
    for file in staged_files(database, run, exports_folder):
        if not file.path.exists():
            if file.shared_sha256 is None:
                _require_here(file, run)
            _remove_earlier(file.path.parent)
            _fetch(store, _name(run, file.shared_sha256 or ""), file)


def _fetch(store: BillStore, name: str, file: StagedFile) -> None:
    make_private_folders(file.path.parent)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=file.path.parent)  # 0600
    os.close(descriptor)
    copy = Path(temporary)
    try:
        store.get_file(name, copy)
        if _hash_of(copy) != file.shared_sha256:
            raise TemporaryFailure(f"{name} in the bill store is damaged; it is fetched again.")
        copy.replace(file.path)
    except FileNotFoundError:
        raise Misuse(
            f"{name} is missing in the bill store; import the export again with --replace.",
            "not-shared",
        ) from None
    finally:
        copy.unlink(missing_ok=True)


def _remove_earlier(folder: Path) -> None:
    """Remove what this machine holds of the run's other exports: it is nobody's bill any more."""
    if folder.parent.is_dir() and not folder.is_dir():
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)  # another process may do the same


def _require_here(file: StagedFile, run: str) -> None:
    if not file.path.exists():
        raise Misuse(
            f"The bulk file {file.patterns.file} of {run} is on the machine that imported it; "
            "go on there, or set bills.store to a place that all machines reach and import it "
            "there again.",
            "not-shared",
        )


def _name(run: str, sha256: str) -> str:
    return f"{FOLDER}/{run}/{sha256}.pdf"


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
