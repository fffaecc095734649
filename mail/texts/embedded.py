"""Texts into a folder: one file a message, for offices and rehearsals without a carrier."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.failures import TemporaryFailure
from mail.keys import file_stem
from mail.port import Result
from mail.texts.port import OutgoingText, TextOutcome

INBOX, DONE = "inbox", "taken-in"
_LONGEST = 2_000  # characters of an answer that are looked at


@dataclass(frozen=True, slots=True)
class PhoneAnswer:
    """What somebody answered, and from which phone."""

    phone: str
    words: str
    file: Path


class TextFolder:
    """
    Writes every text to `FOLDER/KIND-ABOUT-ACCOUNT-HASH.txt`: the phone, an empty line, the words.

    A text sent again takes its own file's place. A file is whole or absent, whenever the process
    is killed, so that a look tells surely. Answers are files in `FOLDER/inbox`: the phone in the
    first line, the words below.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, text: OutgoingText) -> TextOutcome:
        path = self._path(text)
        beside = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                file.write(f"{text.phone}\n\n{text.words}\n")
            beside.replace(path)
        except OSError as failure:
            raise TemporaryFailure(
                f"the folder of texts cannot be used: {failure.strerror}"
            ) from None
        return TextOutcome(Result.SENT, path.stem)

    def look_up(self, text: OutgoingText) -> TextOutcome | None:
        path = self._path(text)
        return TextOutcome(Result.SENT, path.stem) if path.is_file() else None

    def close(self) -> None:
        """Nothing is held open."""

    def answers(self) -> Iterator[PhoneAnswer]:
        """Yield what has come into the inbox, in the order of the files' names."""
        for file in sorted((self._folder / INBOX).glob("*.txt")):
            phone, _, words = file.read_text("utf-8", errors="replace")[:_LONGEST].partition("\n")
            yield PhoneAnswer(phone.strip(), words.strip(), file)

    def answer(self, answer: PhoneAnswer, words: str) -> None:
        """Write what is answered beside the answer, and put that away."""
        if words:
            path = self._folder / f"answer-{answer.file.stem}.txt"
            path.write_text(f"{answer.phone}\n\n{words}\n", "utf-8")
            path.chmod(0o600)
        done = self._folder / DONE
        done.mkdir(mode=0o700, exist_ok=True)
        answer.file.replace(done / answer.file.name)

    def _path(self, text: OutgoingText) -> Path:
        return self._folder / f"{file_stem(text.key)}.txt"


class TextRehearsal:
    """Takes every text and lets none leave."""

    def send(self, _text: OutgoingText) -> TextOutcome:
        return TextOutcome(Result.SENT)

    def look_up(self, _text: OutgoingText) -> TextOutcome | None:
        return None

    def close(self) -> None:
        """Hold nothing that could be closed."""
