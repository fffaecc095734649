"""A worker's journal: which messages it has begun to hand over, and what was answered."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain.failures import Misuse, TemporaryFailure
from mail.port import MailOutcome, Result

SUFFIX = ".journal"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def journal_path(folder: Path, owner: str) -> Path:
    """Name a worker's journal; whoever comes after it finds the file by the same name."""
    return folder / f"{hashlib.sha256(owner.encode()).hexdigest()[:24]}{SUFFIX}"


def entry(key: str) -> str:
    """Return what stands for a delivery: its key names the mailbox, this does not."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class SendJournal:
    """
    The journal of the batch under way; its owner holds the file's lock as long as it lives.

    A line is one write, so that it survives the process. A power cut may take the last lines:
    that is why a group of messages is announced, and forced to disk, before the first of it goes.
    It holds the batch under way alone: clear it before the next is claimed.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        """Raise Misuse where this owner is sending already, TemporaryFailure without a file."""
        self._path = journal_path(folder, owner)
        self._head = f"worker {this_boot()} {owner}\n"
        self._failure = ""
        try:
            self._file = open_locked(self._path)
        except BlockingIOError:
            raise Misuse("this process is sending mail already; wait until it is done") from None
        except OSError as failure:
            raise _unwritable(failure.strerror) from None

    def clear(self) -> None:
        """Forget a batch whose outcomes are all in the books; raises TemporaryFailure."""
        with self._failing():
            os.ftruncate(self._file, 0)
            self._write(self._head)
            os.fdatasync(self._file)

    def announce(self, keys: Iterable[str]) -> None:
        """Write down, to stay, what may be begun next; raises TemporaryFailure."""
        with self._failing():
            self._write(f"announced {' '.join(map(entry, keys))}\n")
            os.fdatasync(self._file)

    def begin(self, key: str) -> None:
        """Write down that a message is about to be handed over; raises TemporaryFailure."""
        with self._failing():
            self._write(f"begun {entry(key)}\n")

    def end(self, outcome: MailOutcome) -> None:
        """
        Write down an answer.

        Where that fails nothing is lost, as the books get it too; but no other message begins.
        """
        try:
            self._write(f"{outcome.result} {entry(outcome.key)} {json.dumps(outcome.error)}\n")
        except OSError as failure:
            self._failure = failure.strerror or "unknown"

    def close(self, *, delete: bool) -> None:
        """Let go of it; it stays where the books do not have everything that stands in it."""
        if delete:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Raise what keeps a line from being written, then and ever after."""
        try:
            if not self._failure:
                yield
        except OSError as failure:
            self._failure = failure.strerror or "unknown"
        if self._failure:
            raise _unwritable(self._failure)

    def _write(self, line: str) -> None:
        content = line.encode()
        if os.write(self._file, content) < len(content):
            raise OSError(0, "no room for a whole line")


def open_locked(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open and lock a file, again where it was deleted between the two."""
    while True:
        file = os.open(path, flags | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, file):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def this_boot() -> str:
    """Return what tells this boot of the machine from others; empty where nothing does."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _unwritable(why: str | None) -> TemporaryFailure:
    return TemporaryFailure(f"the journal of the outbox cannot be written: {why}")


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal says of the batch that was under way."""

    owner: str = ""
    is_of_this_boot: bool = False
    announced: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    outcomes: dict[str, tuple[Result, str]] = field(default_factory=dict)

    def outcome_of(self, key: str) -> MailOutcome | None:
        found = self.outcomes.get(entry(key))
        return None if found is None else MailOutcome(key, *found)

    def may_have_begun(self, key: str) -> bool:
        """Tell whether a message may have gone; after a power cut all that were announced may."""
        return entry(key) in (self.begun if self.is_of_this_boot else self.announced)


class LeftJournal:
    """A journal whose owner is gone, locked while it is worked in."""

    def __init__(self, path: Path) -> None:
        """Raise FileNotFoundError, or BlockingIOError where its owner lives."""
        self._path = path
        self._file = open_locked(path, os.O_RDWR)
        with os.fdopen(os.dup(self._file), "rb") as file:
            self.record = _read(file.read())

    def delete(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._file)


def _read(content: bytes) -> Record:
    """Read the lines that are whole; one that a power cut or a full disk spoiled says nothing."""
    head, *lines = content.decode("utf-8", "replace").split("\n")[:-1] or [""]
    _, boot, owner = [*head.split(" ", 2), "", ""][:3]
    announced: set[str] = set()
    begun: set[str] = set()
    outcomes = {}
    for line in lines:
        event, _, rest = line.partition(" ")
        name, _, error = rest.partition(" ")
        if event == "announced":
            announced.update(rest.split())
        elif event == "begun":
            begun.add(name)
        else:
            try:
                outcomes[name] = (Result(event), str(json.loads(error)))
            except ValueError:
                continue
    same_boot = bool(boot) and boot == this_boot()
    return Record(owner, same_boot, frozenset(announced), frozenset(begun), outcomes)
