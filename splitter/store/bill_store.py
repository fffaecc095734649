"""The bill store: where bill documents are kept, one complete file each or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from splitter.store.local import (
    WRITING,
    LocalFiles,
    checked,
    make_durable,
    make_private_folders,
    unfinished_name,
)
from splitter.store.remote import RemoteFiles

_LOCAL = re.compile(r"(?:file|local)://")
_BLOCK = 2**20  # bytes copied at once


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class BillStore:
    """
    A folder or any fsspec URL that holds bill documents below relative paths.

    A file is written under another name, made durable and then renamed: whoever finds it finds it
    whole. Locally only the office's own user can read it (files 0600, folders 0700). What cannot
    be written is removed and the OSError goes up. What holds of a URL is told in RemoteFiles.
    """

    def __init__(self, location: str | Path) -> None:
        written = str(location)
        self._folder: Path | None = None
        self._local_files: LocalFiles | None = None
        self._remote: RemoteFiles | None = None
        if "://" not in written or _LOCAL.match(written):
            self._folder = Path(_LOCAL.sub("", written)).absolute()
            self._local_files = LocalFiles(self._folder)
        else:
            self._remote = RemoteFiles(written)

    def write(self, path: str, content: bytes) -> None:
        """Write a file at once or not at all; one that is already there is replaced."""
        if self._remote is not None:
            self._remote.write(path, content)
            return
        with self.open_new(path) as file:
            file.write(content)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write several files, each at once or not at all; to a URL they go side by side."""
        if self._remote is not None:
            self._remote.write_all(files)
            return
        for path, content in files:
            self.write(path, content)

    def put_file(self, path: str, local: Path) -> None:
        """Write a copy of a local file, at once or not at all."""
        if self._remote is not None:
            self._remote.put_file(path, local)
            return
        with local.open("rb") as source, self.open_new(path) as file:
            shutil.copyfileobj(source, file, _BLOCK)

    def get_file(self, path: str, local: Path) -> None:
        """Copy a file into a local one; raises FileNotFoundError."""
        if self._remote is not None:
            self._remote.get_file(path, local)
            return
        shutil.copyfile(self._local(path), local)

    @contextlib.contextmanager
    def open_new(self, path: str) -> Iterator[IO[bytes]]:
        """Open a file to be written piece by piece; it is there when the block ends well."""
        if self._remote is not None:
            with self._remote.open_new(path) as remote:
                yield remote
        else:
            with self._local_file(self._local(path)) as local:
                yield local

    @contextlib.contextmanager
    def open_unfinished(self, path: str) -> Iterator[IO[bytes]]:
        """
        Open a file that has another name until `give_name` is called; only in a folder.

        When the block ends well it is durable, and what an ended process left of it is gone.
        """
        final = self._local(path)
        make_private_folders(final.parent)
        descriptor = os.open(unfinished_name(final), WRITING, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def give_name(self, path: str) -> None:
        """Let an unfinished file be found under its own name, also after a power failure."""
        final = self._local(path)
        unfinished_name(final).replace(final)
        descriptor = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sha256_of(self, path: str) -> str | None:
        """Return the hash of a file of a folder, however large; None: there is no such file."""
        try:
            with self._local(path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    @property
    def folder(self) -> str | None:
        """The folder on this machine, which any process can write to; None for a URL."""
        return None if self._folder is None else str(self._folder)

    def write_soon(self, path: str, content: bytes) -> None:
        """Write a file at once or not at all; it is there to stay after `settle`."""
        if self._local_files is None:
            self.write(path, content)
        else:
            self._local_files.write(path, content)

    def make_durable(self) -> None:
        """Make durable all that any process wrote here; a URL's keeper answers for itself."""
        if self._folder is not None:
            make_durable(self._folder)

    def discard_unfinished(self, path: str) -> None:
        """Remove what a process that was ended left of a file."""
        if self._folder is not None:
            unfinished_name(self._local(path)).unlink(missing_ok=True)

    def read(self, path: str) -> bytes:
        """Return a file's content; raises FileNotFoundError."""
        if self._remote is not None:
            return self._remote.read(path)
        return self._local(path).read_bytes()

    def exists(self, path: str) -> bool:
        if self._remote is not None:
            return self._remote.exists(path)
        return self._local(path).is_file()

    def delete_run(self, prefix: str) -> None:
        """Delete everything below a run's prefix; nothing there is nothing to do."""
        if self._remote is not None:
            self._remote.delete_below(prefix)
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
        make_private_folders(final.parent)
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

    def _local(self, path: str) -> Path:
        assert self._folder is not None
        return self._folder / checked(path)
