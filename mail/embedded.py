"""Mail into a folder: one .eml file a message, for offices and rehearsals without a server."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain.failures import PermanentFailure, TemporaryFailure
from mail.keys import file_stem
from mail.port import Hook, MailOutcome, OutgoingMessage, Result, outcome_of


class MailFolder:
    """
    Writes every message to `FOLDER/KIND-RUN-ACCOUNT-HASH.eml`, readable by the office alone.

    A message sent again takes its own file's place, so that sending again is no duplicate. A file
    is whole or absent, whenever the process is killed; files are not forced to disk one by one,
    as this folder stands in for a server and is not one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        except OSError as failure:
            raise TemporaryFailure(f"the mail folder cannot be used: {failure.strerror}") from None
        for message in messages:
            try:
                self._write(message, about_to_hand_over)
            except (PermanentFailure, TemporaryFailure) as failure:
                yield outcome_of(message.key, failure)
            else:
                yield MailOutcome(message.key, Result.SENT)

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, message: OutgoingMessage, about_to_hand_over: Hook | None) -> None:
        """
        Write beside and rename; raises TemporaryFailure where the disk refuses.

        What a kill leaves beside is overwritten when the message is sent again: a claimed
        delivery has one sender.
        """
        content = message.to_bytes()
        path = self._folder / f"{file_stem(message.key)}.eml"
        beside = path.with_suffix(".part")
        try:
            opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(content)
            if about_to_hand_over is not None:
                about_to_hand_over(message.key)
            beside.replace(path)
        except BaseException as failure:
            beside.unlink(missing_ok=True)
            if isinstance(failure, OSError):
                raise TemporaryFailure(f"the mail folder refused: {failure.strerror}") from None
            raise


class Rehearsal:
    """Makes every message, so that what cannot be made is found, and lets none leave."""

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        for message in messages:
            try:
                message.to_bytes()
            except (PermanentFailure, TemporaryFailure) as failure:
                yield outcome_of(message.key, failure)
            else:
                yield MailOutcome(message.key, Result.SENT)

    def close(self) -> None:
        """Hold nothing that could be closed."""
