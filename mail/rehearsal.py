"""Mail that is made and not sent: for dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Hook, Outcome, OutgoingMessage, Result, outcome_of


class Rehearsal:
    """Makes every message, so that what cannot be made is found, and lets none leave."""

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[Outcome]:
        for message in messages:
            try:
                message.to_bytes()
            except (PermanentFailure, TemporaryFailure) as failure:
                yield outcome_of(message.key, failure)
            else:
                yield Outcome(message.key, Result.SENT)

    def close(self) -> None:
        """Hold nothing that could be closed."""
