"""How many copies are looked at before they are filed, and how closely."""

from __future__ import annotations

from dataclasses import dataclass

from domain.failures import Misuse
from domain.words import say_count


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """
    Which copies are read back, and which have the full audit: 1 is every copy, 10 each tenth.

    A bill's place in its bulk file decides, so the same copies are chosen each time, the first one
    always. A copy that is read back has the swift audit at least, and the full one where the swift
    one cannot tell. Raises Misuse for less than 1.
    """

    read_back_every: int = 1
    audit_every: int = 64

    def __post_init__(self) -> None:
        if self.read_back_every < 1 or self.audit_every < 1:
            raise Misuse("Copies are read back and audited every 1, 2, 3, ...; 1 is every copy.")

    def reads_back(self, index: int) -> bool:
        return index % self.read_back_every == 0

    def audits(self, index: int) -> bool:
        return index % self.audit_every == 0


def say_scrutiny(read_back: int, audited: int) -> str:
    """Say what was done: `400 copies read back, 7 audited`."""
    return f"{say_count(read_back, 'copy', 'copies')} read back, {audited:,} audited"
