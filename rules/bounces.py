"""What a bounce means for the mail, for the mailbox and for the next bill."""

from __future__ import annotations

from domain.bounces import BOUNCED_BILLS_BEFORE_SUPPRESSION, BounceKind, Judgement

# RFC 3463: what no second try will change, in words for the clerk.
GONE = {
    "5.1.1": "no such mailbox",
    "5.1.2": "no such mail domain",
    "5.1.10": "the mail domain takes no mail",
    "5.2.1": "the mailbox is switched off",
}
SUCCESSES = frozenset({"delivered", "relayed", "expanded"})  # notices that are no bounce


def judge(action: str, status: str) -> Judgement:
    """
    Judge a report's action (RFC 3464, 2.3.3) and enhanced status (RFC 3463).

    A delay is noted only. What expired in a queue failed without the mailbox being at fault. A
    policy's no (5.7) speaks of us or of the mail. What says neither waits for a person.
    """
    if action == "delayed":
        return Judgement(BounceKind.SOFT)
    if action != "failed" or status[:2] not in ("4.", "5."):
        return Judgement(BounceKind.UNKNOWN)
    if status.startswith("4."):
        return Judgement(BounceKind.SOFT, fails=True)
    is_policy = status.startswith("5.7.")
    return Judgement(BounceKind.HARD, fails=True, suppresses=status in GONE, alerts=is_policy)


def is_worn_out(soft_runs: int) -> bool:
    """Tell whether a mailbox failed softly in so many runs that it is written to no more."""
    return soft_runs >= BOUNCED_BILLS_BEFORE_SUPPRESSION


def say_why(status: str) -> str:
    """Say why a mailbox is suppressed, by its status and without what the server wrote."""
    if status in GONE:
        return f"{status} {GONE[status]}"
    return f"{status} failed in {BOUNCED_BILLS_BEFORE_SUPPRESSION} runs"
