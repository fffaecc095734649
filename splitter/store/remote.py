"""Files below a URL: whole or not there, checked where they lie, and tried again."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

from domain.causes import say_cause
from domain.failures import Misuse, TemporaryFailure
from splitter.store.local import checked

TRIES = 4
FIRST_PAUSE = 0.2  # seconds before the second try; four times as long before each further one
AT_ONCE = 16  # files under way: an object store answers each after some 20 ms
S3 = frozenset({"s3", "s3a"})
# Stores in which a file appears when its last byte has come, or never; others need a second name.
OBJECT_STORES = S3 | {"gs", "gcs", "abfs", "abfss", "az", "memory"}

R = TypeVar("R")


class RemoteFiles:
    """
    A place that any fsspec URL names.

    What local files get by fsync and rename they get here by the store's own word: a file is put
    under its name in one piece, or under another name that is changed when it is complete, and it
    counts when the store says that it has it in its full length. S3 is also told the content's
    hash and refuses anything else. Nothing is ever found by listing; a listing only tidies up.

    Who may come in is the machine's matter: S3 takes the usual AWS environment, and a URL with a
    password in it is Misuse, because settings are shown. So is a store that does not let us in.
    TemporaryFailure says that the store could not be reached in several tries.
    """

    def __init__(self, url: str) -> None:
        _refuse_password(url)
        self._url = url

    def write(self, path: str, content: bytes) -> None:
        """Put a file there; one of the same name is replaced."""
        final = self._place(path)
        self._written(lambda: self._put(final, content), path)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Put several files there, as many at once as the store's library can take."""
        at_once = AT_ONCE if self._files.async_impl else 1
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda file: self.write(*file), files))

    @contextlib.contextmanager
    def open_new(self, path: str) -> Iterator[IO[bytes]]:
        """Open a file to be written piece by piece; it is there when the block has ended well."""
        with tempfile.NamedTemporaryFile(prefix="billclose-") as beside:  # 0600
            yield beside.file
            beside.flush()
            self.put_file(path, Path(beside.name))

    def put_file(self, path: str, local: Path) -> None:
        """Put a large file there, piece by piece."""
        final = self._place(path)
        self._written(lambda: self._put_file(final, local), path)

    def read(self, path: str) -> bytes:
        """Return a file's content; raises FileNotFoundError."""
        place = self._place(path)
        content: bytes = self._tried(lambda: self._files.cat_file(place), f"{path} cannot be read")
        return content

    def get_file(self, path: str, local: Path) -> None:
        """Copy a file into a local one; raises FileNotFoundError."""
        place = self._place(path)
        self._tried(lambda: self._files.get_file(place, str(local)), f"{path} cannot be read")

    def exists(self, path: str) -> bool:
        place = self._place(path)
        found = self._tried(lambda: self._files.isfile(place), f"{path} cannot be looked for")
        return bool(found)

    def delete_below(self, path: str) -> None:
        """Delete everything below a path; nothing there is nothing to do."""
        place = self._place(path)
        self._tried(lambda: self._delete_below(place), f"{path} cannot be deleted")

    @cached_property
    def _files(self) -> Any:
        """The store's library, opened when it is first needed: it may take long to load."""
        import fsspec

        try:
            # What a listing remembers another machine may have changed since.
            options = {"use_listings_cache": False} if self._protocol in OBJECT_STORES else {}
            return fsspec.core.url_to_fs(self._url, **options)[0]
        except (ImportError, ValueError) as failure:
            why = f"bills.store cannot be used: {failure}."
            raise Misuse(why, "bill-store") from None

    @cached_property
    def _root(self) -> str:
        return str(self._files._strip_protocol(self._url)).rstrip("/")

    @property
    def _protocol(self) -> str:
        return self._url.partition("://")[0]

    def _place(self, path: str) -> str:
        return f"{self._root}/{checked(path)}"

    def _put(self, final: str, content: bytes) -> None:
        digest = hashlib.sha256(content).digest()
        options = (
            {"ChecksumSHA256": base64.b64encode(digest).decode()} if self._protocol in S3 else {}
        )
        with self._named_in_the_end(final) as name:
            self._files.pipe_file(name, content, **options)
            self._require_length(name, len(content))

    def _put_file(self, final: str, local: Path) -> None:
        with self._named_in_the_end(final) as name:
            self._files.put_file(str(local), name)
            self._require_length(name, local.stat().st_size)

    @contextlib.contextmanager
    def _named_in_the_end(self, final: str) -> Iterator[str]:
        if self._protocol in OBJECT_STORES:
            yield final
            return
        unfinished = f"{final}.new"
        self._files.makedirs(final.rpartition("/")[0], exist_ok=True)
        try:
            yield unfinished
            self._files.mv(unfinished, final)
        except BaseException:
            with contextlib.suppress(OSError):  # the first failure is the one to tell of
                self._files.rm(unfinished)
            raise

    def _require_length(self, place: str, length: int) -> None:
        found = self._files.info(place)["size"]
        if found != length:
            raise OSError(f"the store has {found} of {length} bytes")

    def _delete_below(self, place: str) -> None:
        if self._files.exists(place):
            self._files.rm(place, recursive=True)

    def _written(self, work: Callable[[], None], path: str) -> None:
        try:
            self._tried(work, f"{path} cannot be written")
        except FileNotFoundError:
            raise Misuse(
                "There is no bucket or folder where bills.store points to; make it first.",
                "bill-store",
            ) from None

    def _tried(self, work: Callable[[], R], what: str) -> R:
        """Do something that done twice is done once, again where the store was not there."""
        refused, unreachable = self._failures
        pause = FIRST_PAUSE
        for left in reversed(range(TRIES)):
            try:
                return work()
            except FileNotFoundError:
                raise
            except refused as failure:
                why = f"bills.store does not let us in ({say_cause(failure)}): {what}"
                raise Misuse(f"{why}; check this machine's credentials.", "bill-store") from None
            except unreachable as failure:
                if not left:
                    why = say_cause(failure)
                    raise TemporaryFailure(f"bills.store: {what} ({why}).") from None
                time.sleep(pause)
                pause *= 4
        raise AssertionError("a try ends in a return or a failure")

    @cached_property
    def _failures(self) -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
        """What the store's library raises where it is not let in, and where it gets no answer."""
        _ = self._files
        if self._protocol not in S3:
            return (PermissionError,), (OSError,)
        from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError

        return (
            (PermissionError, NoCredentialsError, PartialCredentialsError),
            (OSError, BotoCoreError),
        )


def _refuse_password(url: str) -> None:
    netloc = url.partition("://")[2].partition("/")[0]
    if ":" in netloc.rpartition("@")[0]:
        raise Misuse(
            "bills.store holds a password; give it by the environment of the machine instead.",
            "bill-store",
        )
