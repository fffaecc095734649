"""Bounces in a Maildir: a folder to which a mail server of this machine delivers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from domain.failures import Misuse, TemporaryFailure
from mail.bounces.inbox import LARGEST, ReturnedMail

_INFO = ":2,"


class Maildir:
    """
    Reads what is in `new` and what is in `cur` without the flag S (seen).

    What is dealt with goes to `cur` with that flag; nothing is ever deleted. A link or a device in
    the folder is no mail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unread(self) -> Iterator[ReturnedMail]:
        if not (self._folder / "new").is_dir() or not (self._folder / "cur").is_dir():
            raise Misuse(
                f"bounces.source: {self._folder} is no Maildir (it has no folders new and cur)."
            )
        for name in self._names():
            mail = self._read(name)
            if mail is not None:
                yield mail

    def mark_read(self, mail: ReturnedMail) -> None:
        path = self._folder / mail.name
        base, _, flags = path.name.partition(_INFO)
        seen = "".join(sorted({*flags, "S"}))
        try:
            path.rename(self._folder / "cur" / f"{base}{_INFO}{seen}")
        except FileNotFoundError:
            return  # somebody else has moved it
        except OSError as fault:
            raise TemporaryFailure(f"the Maildir cannot be changed: {fault.strerror}") from None

    def close(self) -> None:
        """Nothing is held open."""

    def _names(self) -> list[str]:
        try:
            fresh = [f"new/{path.name}" for path in (self._folder / "new").iterdir()]
            known = [f"cur/{path.name}" for path in (self._folder / "cur").iterdir()]
        except OSError as fault:
            raise TemporaryFailure(f"the Maildir cannot be read: {fault.strerror}") from None
        unseen = [name for name in known if "S" not in name.partition(_INFO)[2]]
        return sorted(name for name in fresh + unseen if not name[4:].startswith("."))

    def _read(self, name: str) -> ReturnedMail | None:
        try:
            opened = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None  # moved meanwhile, or a link
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            os.close(opened)
            return None
        with os.fdopen(opened, "rb") as file:
            content = file.read(LARGEST)
        return ReturnedMail(name, content, datetime.fromtimestamp(found.st_mtime, UTC))
