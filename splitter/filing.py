"""The bill store: where bill documents are kept, one complete file each or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import fsspec

from domain.failures import Misuse

_LOCAL = re.compile(r"(?:file|local)://")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class BillStore:
    """
    A folder or any fsspec URL that holds bill documents below relative paths.

    A file is written under another name, made durable and then renamed: whoever finds it finds it
    whole. Locally only the office's own user can read it (files 0600, folders 0700). What cannot
    be written is removed and the OSError goes up.
    """

    def __init__(self, location: str | Path) -> None:
        written = str(location)
        self._folder: Path | None = None
        if "://" not in written or _LOCAL.match(written):
            self._folder = Path(_LOCAL.sub("", written)).absolute()
        else:
            self._files, self._root = fsspec.core.url_to_fs(written)

    def write(self, path: str, content: bytes) -> None:
        """Write a file at once or not at all; one that is already there is replaced."""
        with self.open_new(path) as file:
            file.write(content)

    @contextlib.contextmanager
    def open_new(self, path: str) -> Iterator[IO[bytes]]:
        """Open a file to be written piece by piece; it is there when the block ends well."""
        if self._folder is None:
            with self._remote_file(path) as remote:
                yield remote
        else:
            with self._local_file(self._local(path)) as local:
                yield local

    def read(self, path: str) -> bytes:
        """Return a file's content; raises FileNotFoundError."""
        if self._folder is not None:
            return self._local(path).read_bytes()
        content: bytes = self._files.cat_file(self._remote(path))
        return content

    def exists(self, path: str) -> bool:
        if self._folder is not None:
            return self._local(path).is_file()
        return bool(self._files.isfile(self._remote(path)))

    def delete_run(self, prefix: str) -> None:
        """Delete everything below a run's prefix; nothing there is nothing to do."""
        if self._folder is None:
            if self._files.exists(self._remote(prefix)):
                self._files.rm(self._remote(prefix), recursive=True)
            return
        folder = self._local(prefix)
        for found in sorted(folder.rglob("*"), reverse=True):
            if found.is_dir() and not found.is_symlink():
                found.rmdir()
            else:
                found.unlink()
        if folder.is_dir():
            folder.rmdir()

    @contextlib.contextmanager
    def _local_file(self, final: Path) -> Iterator[IO[bytes]]:
        _make_private_folders(final.parent)
        descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=final.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(final)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _remote_file(self, path: str) -> Iterator[IO[bytes]]:
        final = self._remote(path)
        temporary = f"{final}.new"
        self._files.makedirs(final.rpartition("/")[0], exist_ok=True)
        try:
            with self._files.open(temporary, "wb") as file:
                yield file
            self._files.mv(temporary, final)
        except BaseException:
            if self._files.exists(temporary):
                self._files.rm(temporary)
            raise

    def _local(self, path: str) -> Path:
        assert self._folder is not None
        return self._folder / _checked(path)

    def _remote(self, path: str) -> str:
        return f"{str(self._root).rstrip('/')}/{_checked(path)}"


def _checked(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if not path or "\0" in path or "\\" in path or relative.is_absolute():
        raise Misuse(f"{path!r} is no path in the bill store.")
    if not relative.parts or ".." in relative.parts:
        raise Misuse(f"{path!r} is no path in the bill store.")
    return relative


def _make_private_folders(folder: Path) -> None:
    """Make missing folders for the office's own user alone, whatever the umask."""
    if folder.is_dir():
        return
    _make_private_folders(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
