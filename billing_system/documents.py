"""Our own copies of an export's bulk PDFs: the office may move the export after the import."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from billing_system.port import Export
from domain.failures import Refused

_BLOCK = 2**20  # bytes copied at once


def document_path(export: Export, bulk: int) -> str:
    """Return where a bulk file's copy lies, relative to the folder of exports."""
    return f"{export.period.id}/{_folder_name(export.sha256)}/{bulk}.pdf"


def copy_documents(export: Export, exports_folder: Path) -> None:
    """
    Copy the bulk PDFs that are not there yet; each appears whole or not at all.

    The folder is named after the export's contents, so two imports never overwrite each other's
    files. Bills are personal: only the office's own account may read them (0700, 0600).
    """
    for bulk, bulk_file in enumerate(export.bulk_files):
        target = exports_folder / document_path(export, bulk)
        if not target.exists():
            for folder in (exports_folder, target.parent.parent, target.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(export, bulk_file.file, target)


def sweep_documents(exports_folder: Path, run: str, keep: str) -> None:
    """Remove the copies of a run's other exports; `keep` is the hash of the one that counts."""
    for folder in (exports_folder / run).glob("*"):
        if folder.name != _folder_name(keep):
            shutil.rmtree(folder)


def unstable(export: Export) -> Refused:
    """Return the refusal of what was being written while we read it: half old, half new."""
    return Refused(
        "export-unstable",
        f"{export.name} changed while it was read; wait until the billing system has finished "
        "writing it and import it again.",
    )


def _copy(export: Export, file: str, target: Path) -> None:
    with (
        export.files.open(file) as stream,
        NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as copy,
    ):  # NamedTemporaryFile makes files of mode 0600
        try:
            digest = sha256()
            while block := stream.read(_BLOCK):
                digest.update(block)
                copy.write(block)
            if digest.hexdigest() != export.fingerprints[file]:
                raise unstable(export)
            copy.flush()
            os.fsync(copy.fileno())
            Path(copy.name).replace(target)
        finally:
            Path(copy.name).unlink(missing_ok=True)


def _folder_name(sha256: str) -> str:
    return sha256[:16]
