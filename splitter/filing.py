"""The bill store: where bill documents are kept, one complete file each or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from splitter.local_files import (
    LocalFiles,
    checked,
    make_durable,
    make_private_folders,
    unfinished_name,
)

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
        self._local_files: LocalFiles | None = None
        if "://" not in written or _LOCAL.match(written):
            self._folder = Path(_LOCAL.sub("", written)).absolute()
            self._local_files = LocalFiles(self._folder)
        else:
            import fsspec  # takes long to load and is seldom needed

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

    def settle(self) -> None:
        """Make durable all that any process wrote here; a URL's keeper answers for itself."""
        if self._folder is not None:
            make_durable(self._folder)

    def discard_unfinished(self, path: str) -> None:
        """Remove what a process that was ended left of a file."""
        if self._folder is not None:
            unfinished_name(self._local(path)).unlink(missing_ok=True)

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
        return self._folder / checked(path)

    def _remote(self, path: str) -> str:
        return f"{str(self._root).rstrip('/')}/{checked(path)}"
