"""How fast messages may go: evenly, within the limits a minute of a relay and of each domain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from mail.port import OutgoingMessage
from mail.smtp.envelope import domain_of

AHEAD = 200  # messages looked at beyond one that must wait; their contents are not yet made


class RateLimit:
    """
    Spaces messages evenly, so that no limit a minute is passed; 0: no limit.

    `now` is in seconds of any clock that never goes back. Only domains whose turn lies ahead are
    remembered.
    """

    def __init__(self, per_minute: float, per_domain_per_minute: float = 0) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._domain_interval = 60 / per_domain_per_minute if per_domain_per_minute else 0.0
        self._next = 0.0
        self._next_of: dict[str, float] = {}

    @property
    def is_limited(self) -> bool:
        return bool(self._interval or self._domain_interval)

    @property
    def tells_domains_apart(self) -> bool:
        return bool(self._domain_interval)

    def wait(self, now: float) -> float:
        """Return the seconds until the relay may get a message of whatever domain."""
        return max(0.0, self._next - now)

    def domain_wait(self, domain: str, now: float) -> float:
        return max(0.0, self._next_of.get(domain, 0.0) - now)

    def take_turn(self, domain: str, now: float) -> None:
        self._next = max(now, self._next) + self._interval
        if self._domain_interval:
            passed = [name for name, moment in self._next_of.items() if moment <= now]
            for name in passed:
                del self._next_of[name]
            self._next_of[domain] = now + self._domain_interval


class RateLimitedQueue:
    """
    The messages in the order in which they may go: a slow domain lets the others pass.

    Looks at most `ahead` messages ahead, and not at all where domains have no limit.
    """

    def __init__(
        self, messages: Iterable[OutgoingMessage], rate_limit: RateLimit, *, ahead: int = AHEAD
    ) -> None:
        self._messages = iter(messages)
        self._rate_limit = rate_limit
        self._ahead = ahead if rate_limit.tells_domains_apart else 1
        self._waiting: dict[str, deque[OutgoingMessage]] = {}
        self._count = 0

    def next(self, now: float) -> OutgoingMessage | float | None:
        """Return a message that may go now, or the seconds to wait for one; None at the end."""
        if wait := self._rate_limit.wait(now):
            return wait
        self._look_ahead(now)
        if not self._waiting:
            return None
        waits = {name: self._rate_limit.domain_wait(name, now) for name in self._waiting}
        domain = min(waits, key=lambda name: waits[name])  # the first of equals came first
        if waits[domain]:
            return waits[domain]
        message = self._waiting[domain].popleft()
        self._count -= 1
        if not self._waiting[domain]:
            del self._waiting[domain]
        self._rate_limit.take_turn(domain, now)
        return message

    def _look_ahead(self, now: float) -> None:
        """Read on until one of the messages read may go, or enough are waiting."""
        while self._count < self._ahead and not self._has_turn(now):
            message = next(self._messages, None)
            if message is None:
                return
            domain = domain_of(message.recipient) if self._rate_limit.tells_domains_apart else ""
            self._waiting.setdefault(domain, deque()).append(message)
            self._count += 1

    def _has_turn(self, now: float) -> bool:
        return any(not self._rate_limit.domain_wait(domain, now) for domain in self._waiting)
