"""Files in a folder of this machine: whole or not there, and private to their owner."""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache
from pathlib import Path, PurePosixPath

from domain.failures import Misuse

_UNFINISHED = ".new-"
WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFiles:
    """
    A folder that many files are written into.

    Each is written under another name and then renamed: whoever finds a file finds it whole, also
    after its writer was killed. `make_durable` is for what a power failure must not undo; doing so
    once for all files costs the disk much less than one by one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._known: set[str] = set()

    def write(self, path: str, content: bytes) -> None:
        """Write a file; where that fails nothing of it stays, and the OSError goes up."""
        place, _, name = f"{self._folder}/{checked(path)}".rpartition("/")
        if place not in self._known:
            make_private_folders(Path(place))
            self._known.add(place)
        unfinished = f"{place}/{_UNFINISHED}{name}"
        descriptor = os.open(unfinished, WRITING, 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.replace(unfinished, f"{place}/{name}")  # noqa: PTH105 - a Path costs as much again
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)


def make_durable(folder: Path) -> None:
    """Return when all that was written below a folder, names included, survives a power failure."""
    with contextlib.suppress(FileNotFoundError):  # nothing was written
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            library = _libc()
            if library is None:
                os.sync()
            elif library.syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(folder))
        finally:
            os.close(descriptor)


def unfinished_name(final: Path) -> Path:
    return final.with_name(_UNFINISHED + final.name)


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


@cache
def _libc() -> ctypes.CDLL | None:
    """Return the C library where it can write out one file system alone."""
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "syncfs") else None
