"""Passwords: kept as argon2id hashes, checked by a few at a time."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.failures import TemporaryFailure

MEMORY_KIB, ROUNDS = 19_456, 2  # OWASP's floor for argon2id: some 25 ms and 19 MiB each
AT_ONCE, QUEUED = 2, 20  # a sign-in costs as much as 25 pages: more at once would stop the pages


@dataclass(frozen=True, slots=True)
class Passwords:
    """
    Hashes and checks passwords, two at a time.

    Raises TemporaryFailure where twenty wait already: the caller says to come again soon.
    """

    _hasher: PasswordHasher = field(
        default_factory=lambda: PasswordHasher(
            time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1
        ),
        repr=False,
    )
    _at_once: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE), repr=False
    )
    _queue: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE + QUEUED), repr=False
    )
    _nobodys: list[str] = field(default_factory=list, repr=False)

    def to_hash(self, password: str) -> str:
        with _Place(self):
            return self._hasher.hash(password)

    def is_right(self, password: str, kept: str | None) -> bool:
        """Tell whether it is the password; where there is none, take as long to say no."""
        with _Place(self):
            try:
                return self._hasher.verify(kept or self._nobody(), password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def _nobody(self) -> str:
        if not self._nobodys:
            self._nobodys.append(self._hasher.hash(secrets.token_hex(16)))
        return self._nobodys[0]


class _Place:
    """A place in the queue, then one of the two at work."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    def __enter__(self) -> None:
        if not self._passwords._queue.acquire(blocking=False):
            raise TemporaryFailure("too many sign in at once")
        self._passwords._at_once.acquire()

    def __exit__(self, *_failure: object) -> None:
        self._passwords._at_once.release()
        self._passwords._queue.release()
