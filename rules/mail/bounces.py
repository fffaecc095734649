"""What a bounce means for the mail, for the mailbox and for the next bill."""

from __future__ import annotations

import re

from domain.bounces import BOUNCED_BILLS_BEFORE_SUPPRESSION, BounceKind, Judgement

# RFC 3463: what no second try will change, in words for the clerk.
GONE = {
    "5.1.0": "the mail server does not know the address",
    "5.1.1": "no such mailbox",
    "5.1.2": "no such mail domain",
    "5.1.3": "the mail server finds the address wrong",
    "5.1.6": "the mailbox has moved",
    "5.1.351": "no such mailbox",  # Microsoft's own
    "5.1.10": "the mail domain takes no mail",
    "5.2.1": "the mailbox is switched off",
    "5.4.1": "the mail domain does not take mail for this address",
    "5.4.4": "no way to the mail domain",
}
UNKNOWN_USER = "user unknown"
_VAGUE = ("5.0.0", "5.5.0", "5.3.0", "5.5.4")  # what servers say that have no better status
_NO_SUCH_USER = re.compile(
    r"(unknown|no such|invalid|non-?exist\w*|not a valid|bad destination)\s+(e?-?mail\s+)?"
    r"(local\s+)?(user|mailbox|recipient|address|account|person)|(user|mailbox"
    r"|recipient|address|account)"
    r"[^.;]{0,60}\s(unknown|not (found|exist|known|listed|here)|does(n.t| not) exist|disabled)"
    r"|does(n.t| not) have an? \S+ account|no mailbox here|not our customer",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"<?[^\s<>]+@[\w.-]+>?")  # a name in it says nothing
# What a server says of us, of the mail or of the moment, whatever status it gives.
_NOT_THE_MAILBOXS_FAULT = re.compile(
    r"\b[45]\.7\.\d|polic|\bsender\b|quota|\brate\b|rate.?limit|too (many|fast"
    r"|quickly)|full|exceed|spam"
    r"|junk|virus"
    r"|black.?list|block.?list|blocked|reputation|dmarc|\bspf\b|\bdkim\b|relay|authenticat"
    r"|banned|\brbl\b|reverse dns|\bptr\b|temporar|time.?out|timed out",
    re.IGNORECASE,
)
SUCCESSES = frozenset({"delivered", "relayed", "expanded"})  # notices that are no bounce


def judge(action: str, status: str, diagnostic: str = "", *, in_words: bool = False) -> Judgement:
    """
    Judge a report's action (RFC 3464, 2.3.3), enhanced status (RFC 3463) and diagnostic.

    A delay is noted only. What expired in a queue failed without the mailbox being at fault. A
    policy's no (5.7) speaks of us or of the mail, and so does every no whose words are of a
    policy, a quota or a rate. What says neither waits for a person. What was read out of words
    (`in_words`) failed, and no mailbox rests for it.
    """
    if action == "delayed":
        return Judgement(BounceKind.SOFT)
    if action != "failed" or status[:2] not in ("4.", "5."):
        return Judgement(BounceKind.UNKNOWN)
    if status.startswith("4."):
        return Judgement(BounceKind.SOFT, fails=True)
    is_policy = status.startswith("5.7.")
    is_gone = not in_words and _is_gone(status, diagnostic)
    return Judgement(BounceKind.HARD, fails=True, suppresses=is_gone, alerts=is_policy)


def _is_gone(status: str, diagnostic: str) -> bool:
    words = _ADDRESS.sub(" ", diagnostic)
    if _NOT_THE_MAILBOXS_FAULT.search(words):
        return False
    said_so = status in _VAGUE and _NO_SUCH_USER.search(words) is not None
    return status in GONE or said_so


def is_worn_out(soft_runs: int) -> bool:
    """Tell whether a mailbox failed softly in so many runs that it is written to no more."""
    return soft_runs >= BOUNCED_BILLS_BEFORE_SUPPRESSION


def say_why(status: str) -> str:
    """Say why a mailbox is suppressed, by its status and without what the server wrote."""
    if status in GONE:
        return f"{status} {GONE[status]}"
    if status in _VAGUE:
        return f"{status} {UNKNOWN_USER}"
    return f"{status} failed in {BOUNCED_BILLS_BEFORE_SUPPRESSION} runs"
