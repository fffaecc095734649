"""Refusals in a row: when they are the relay's no to us, and not the mailboxes' own."""

from __future__ import annotations

import re
from collections.abc import Collection

ALL = 5  # refused alike, and nothing else came of the whole sending
ALL_ABOUT_US = 3  # the same where the words speak of us, and not of a mailbox

_REFUSED = re.compile(r"(5\d\d)(?: |$)(?:\s*(5\.\d{1,3}\.\d{1,3})\b)?")
_ABOUT_US = re.compile(
    r"polic|relay|quota.*send|sending.*(quota|limit)|rate.?limit|too many|spam|block|black.?list"
    r"|reputation|not (allowed|permitted|authori[sz]ed)|authenticat|denied|suspended",
    re.IGNORECASE,
)


def refusal_reason(error: str) -> str:
    """
    Return for what reason a server said no for good: what is equal is one reason; else empty.

    The enhanced status (RFC 3463) tells, all of a policy (5.7) being one; without one, the code.
    A refusal for a message's own size says nothing of the others, and is no such reason.
    """
    found = _REFUSED.match(error)
    if found is None or found[2] in ("5.3.4", "5.2.3") or found[1] == "552":
        return ""
    status = found[2] or ""
    return "5.7" if status.startswith("5.7.") else status or found[1]


def is_relays_fault(errors: Collection[str], *, many: int, nothing_else: bool) -> bool:
    """
    Tell whether refusals in a row, all for one reason, are the relay's and not the mailboxes'.

    So many mailboxes do not vanish one right after the other. In a sending of which nothing else
    came (`nothing_else`) fewer are enough, and fewer still where the words speak of us: a small
    office has no more mails than that. `many` of 0: it is never the relay's.
    """
    if not many:
        return False
    least = many
    if nothing_else:
        about_us = all(_speaks_of_us(error) for error in errors)
        least = min(many, ALL_ABOUT_US if about_us else ALL)
    return len(errors) >= least


def _speaks_of_us(error: str) -> bool:
    return refusal_reason(error) == "5.7" or _ABOUT_US.search(error) is not None
