"""Writing import files so that each is there whole and once, whenever the machine stops."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cash_receipting.layout import Layout
from cash_receipting.tray import OpenBatch, Tray
from domain.money import Money

TEMPORARY = ".part"
MANIFEST = ".manifest.json"  # comes last: what has one is whole


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    Writes the batches of a tray that are not out yet.

    The temporary file is forced to disk, its name and hash are recorded, then it is renamed. So
    after a crash a temporary file tells that its batch is not out, and its absence that it is,
    though whoever fetches files may have taken it by then. It is never made again under its name.
    """

    folder: Path
    tray: Tray
    layout: Layout

    def write_all(self) -> None:
        for batch in self.tray.open_batches():
            named = batch if batch.name else self._prepare(batch.batch)
            self._put_out(named)

    def _prepare(self, batch: int) -> OpenBatch:
        """Write the temporary file and record what it will be called."""
        items = self.tray.items_of(batch)
        total = Money.total(item.amount for item in items)
        name = f"receipts-{batch:06d}-{len(items)}-{total}.{self.layout.suffix}"
        content = (self.layout.head() + "".join(item.line for item in items)).encode()
        _write_to_disk(self.folder / (name + TEMPORARY), content)
        _sync_folder(self.folder)  # before its name is recorded: then its absence says a lot
        sha256 = hashlib.sha256(content).hexdigest()
        self.tray.name_batch(batch, name, sha256)
        return OpenBatch(batch, name, sha256)

    def _put_out(self, batch: OpenBatch) -> None:
        temporary, file = self.folder / (batch.name + TEMPORARY), self.folder / batch.name
        if temporary.exists():
            temporary.rename(file)
            _sync_folder(self.folder)
        if file.exists():
            self._write_manifest(batch)
        self.tray.mark_out(batch.batch)

    def _write_manifest(self, batch: OpenBatch) -> None:
        items = self.tray.items_of(batch.batch)
        manifest = {
            "file": batch.name,
            "batch": batch.batch,
            "postings": len(items),
            "total": str(Money.total(item.amount for item in items)),
            "sha256": batch.sha256,
        }
        place = self.folder / (batch.name + MANIFEST)
        temporary = self.folder / (batch.name + MANIFEST + TEMPORARY)
        _write_to_disk(temporary, json.dumps(manifest, indent=1).encode())
        temporary.rename(place)
        _sync_folder(self.folder)


def _write_to_disk(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
