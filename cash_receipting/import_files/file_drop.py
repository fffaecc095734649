"""Cash receipting by import files: a file a round into a folder, its answers read from there."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cash_receipting.import_files.layout import Layout
from cash_receipting.import_files.submitted_files import OpenBatch, SubmittedFiles
from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from domain.failures import PermanentFailure
from domain.money import Money

PATTERN = "*.ack.csv"
READ, UNREADABLE = "answered", "unreadable"  # folders that answer files are moved to
COLUMNS = {"key", "status", "receipt", "reason"}
ACCEPTED, REJECTED = "accepted", "rejected"

Answer = tuple[str | None, str | None, str]  # receipt, refusal, key


def read_answers(folder: Path, submitted: SubmittedFiles) -> None:
    """
    Record every answer file of a folder and move it away: `answered`, or `unreadable`.

    A file has the columns key, status (accepted or rejected), receipt, reason. One with a single
    line that cannot be understood is left whole to a person: half an answer is none.
    """
    for file in sorted(folder.glob(PATTERN)):
        try:
            answers = parse_answers(file.read_text(encoding="utf-8-sig"))
        except ValueError:
            _move(file, folder / UNREADABLE)
            continue
        submitted.answer(answers)
        _move(file, folder / READ)


def parse_answers(text: str) -> list[Answer]:
    """Read the lines of an answer file; raises ValueError for one that cannot be understood."""
    lines = csv.DictReader(text.splitlines(), strict=True)
    try:
        if not COLUMNS.issubset(lines.fieldnames or ()):
            raise ValueError("columns are missing")
        return [_to_answer(line) for line in lines]
    except csv.Error as wrong:
        raise ValueError(str(wrong)) from None


def _to_answer(line: dict[str, str | None]) -> Answer:
    key, status, receipt = ((line[name] or "").strip() for name in ("key", "status", "receipt"))
    if key and status == ACCEPTED and receipt:
        return receipt, None, key
    if key and status == REJECTED:
        return None, " ".join((line["reason"] or "").split())[:200], key
    raise ValueError(f"a line for {key or 'no key'} is neither accepted nor rejected")


def _move(file: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / file.name
    count = 1
    while place.exists():
        count += 1
        place = folder / f"{file.name}.{count}"
    file.rename(place)


TEMPORARY = ".part"
MANIFEST = ".manifest.json"  # comes last: what has one is whole


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    Writes the batches of submitted files that are not out yet.

    The temporary file is forced to disk, its name and hash are recorded, then it is renamed. So
    after a crash a temporary file tells that its batch is not out, and its absence that it is,
    though whoever fetches files may have taken it by then. It is never made again under its name.
    """

    folder: Path
    submitted: SubmittedFiles
    layout: Layout

    def write_all(self) -> None:
        for batch in self.submitted.open_batches():
            named = batch if batch.name else self._prepare(batch.batch)
            self._put_out(named)

    def _prepare(self, batch: int) -> OpenBatch:
        """Write the temporary file and record what it will be called."""
        items = self.submitted.items_of(batch)
        total = Money.total(item.amount for item in items)
        name = f"receipts-{batch:06d}-{len(items)}-{total}.{self.layout.suffix}"
        content = (self.layout.head() + "".join(item.line for item in items)).encode()
        _write_to_disk(self.folder / (name + TEMPORARY), content)
        _sync_folder(self.folder)  # before its name is recorded: then its absence says a lot
        sha256 = hashlib.sha256(content).hexdigest()
        self.submitted.name_batch(batch, name, sha256)
        return OpenBatch(batch, name, sha256)

    def _put_out(self, batch: OpenBatch) -> None:
        temporary, file = self.folder / (batch.name + TEMPORARY), self.folder / batch.name
        if temporary.exists():
            temporary.rename(file)
            _sync_folder(self.folder)
        if file.exists():
            self._write_manifest(batch)
        self.submitted.mark_out(batch.batch)

    def _write_manifest(self, batch: OpenBatch) -> None:
        items = self.submitted.items_of(batch.batch)
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


FOLDER = 0o700


class FileDropReceipting:
    """
    Each posting belongs to exactly one file, and a file is written exactly once.

    What is posted waits until it is handed over; its receipt comes with the answer file.
    A key that is posted again is still in its first file, unless that answered that it refused it.
    """

    name = "cash receipting"
    keeps_keys = True
    longest_in_flight = timedelta(0)

    def __init__(self, folder: Path, submitted: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._submitted = SubmittedFiles(submitted)

    def post(self, request: PostingRequest) -> Receipt | None:
        """Note a posting; raises PermanentFailure where the layout cannot hold it."""
        line = self._layout.to_line(request)
        with self._using():
            item = self._submitted.put(request, line)
        if (item.account, item.amount) != (request.account, request.amount):
            raise PermanentFailure("something else was handed over under this key")
        return item.to_receipt()

    def find(self, request: PostingRequest) -> Receipt | None:
        """Return the receipt that was answered; raises PermanentFailure for a refusal."""
        with self._using():
            read_answers(self._folder, self._submitted)
            item = self._submitted.find(request.key)
        if item is not None and item.refusal is not None:
            raise PermanentFailure(f"cash receipting refused it: {item.refusal or 'no reason'}")
        return item.to_receipt() if item is not None else None

    def hand_over(self) -> None:
        """Write what waits into the next file; finish what a crash left."""
        with self._using():
            read_answers(self._folder, self._submitted)
            Outgoing(self._folder, self._submitted, self._layout).write_all()

    def check_health(self) -> None:
        with self._using():
            pass

    def close(self) -> None:
        self._submitted.close()

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Have the folder to ourselves; raises ServiceDown where it cannot be used."""
        try:
            self._folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise ServiceDown(f"the folder of import files: {fault.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as fault:
            raise ServiceDown(f"the folder of import files: {fault.strerror}") from None
        finally:
            os.close(lock)
