"""When a posting that failed is tried again, and when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

SHORTEST_WAIT = timedelta(seconds=1)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=7)
LAST_TRY = 40

FAILURES_TO_OPEN = 3
FIRST_PROBE = timedelta(seconds=30)
LONGEST_PROBE = timedelta(minutes=15)
PROBE_SPREAD = 0.2


def next_wait(attempts: int, chance: float) -> timedelta:
    """
    Return how long a posting rests after so many attempts.

    `chance` is between 0 and 1: the whole wait is left to it ("full jitter"), so that thousands
    that failed together do not come back together. At most six hours.
    """
    doubled: timedelta = FIRST_WAIT * 2 ** min(attempts, 20)
    return max(SHORTEST_WAIT, min(LONGEST_WAIT, doubled) * chance)


def is_given_up(attempts: int, created_at: datetime, now: datetime) -> bool:
    """Tell whether a person must look at a posting now: seven days old, or tried forty times."""
    return attempts >= LAST_TRY or now - created_at >= GIVEN_UP_AFTER


def next_probe(probes: int, chance: float) -> timedelta:
    """
    Return how long a silent service is left alone after so many probes.

    30 seconds doubling to 15 minutes, a fifth more or less by `chance` (0 to 1): a dozen requests
    in two hours.
    """
    doubled: timedelta = FIRST_PROBE * 2 ** min(probes, 20)
    return min(LONGEST_PROBE, doubled) * (1 + PROBE_SPREAD * (2 * chance - 1))
