"""Files written many at a time: made durable together, then each given its name at once."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path, PurePosixPath

from domain.failures import Misuse


class Batch:
    """
    Files on their way into a folder of this machine.

    Each is written under another name. At the end all are made durable, which costs the disk much
    less than one by one, and renamed: whoever finds a file finds it whole, also after a crash.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[Path] = set()
        self._open: list[tuple[int, Path, Path]] = []

    def write(self, path: str, content: bytes) -> None:
        """Write a file that gets its name when the batch is finished."""
        final = self._folder / checked(path)
        if final.parent not in self._known:
            make_private_folders(final.parent)
            self._known.add(final.parent)
        unfinished = unfinished_name(final)
        how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(unfinished, how, 0o600)
        self._open.append((descriptor, unfinished, final))
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # begins to write it out

    def finish(self) -> None:
        """Make all files durable and give them their names."""
        for descriptor, _, _ in self._open:
            os.fsync(descriptor)
        for descriptor, unfinished, final in self._open:
            os.close(descriptor)
            unfinished.replace(final)
        self._open.clear()

    def discard(self) -> None:
        """Remove what has no name yet."""
        for descriptor, unfinished, _ in self._open:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            unfinished.unlink(missing_ok=True)
        self._open.clear()


def unfinished_name(final: Path) -> Path:
    return final.with_name(f".new-{final.name}")


def checked(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if not path or "\0" in path or "\\" in path or relative.is_absolute():
        raise Misuse(f"{path!r} is no path in the bill store.")
    if not relative.parts or ".." in relative.parts:
        raise Misuse(f"{path!r} is no path in the bill store.")
    return relative


def make_private_folders(folder: Path) -> None:
    """Make missing folders for the office's own user alone, whatever the umask."""
    if folder.is_dir():
        return
    make_private_folders(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
