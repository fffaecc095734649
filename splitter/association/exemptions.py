"""What an office has said about a form: signals that are ignored, numbers that are no accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.failures import Misuse
from domain.periods import BulkFile

STRONG = ("numbers", "file-numbers", "accounts", "values", "names", "order", "unseen")
WEAK = ("looks", "label", "shapes", "words", "twice", "echo", "odd-account")
SIGNALS = STRONG + WEAK
NEEDS_REASON = ("numbers", "accounts", "names")
NEVER_IGNORED = ("unseen",)  # text that nobody sees speaks for nobody, whoever says so
AFTER, BEFORE, NEVER = "after", "before", "never"
NAMELESS = (AFTER, BEFORE, NEVER)  # where pages that name nobody stand: behind their bill, ...


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Signals that hold no page, and how the form is otherwise unlike others."""

    ignored: frozenset[str] = frozenset()
    not_accounts: re.Pattern[str] | None = None
    may_name_others: bool = False
    nameless: str = AFTER

    def is_no_account(self, before: str, number: str) -> bool:
        """Say whether a number is none of an account, going by the words before it."""
        return bool(self.not_accounts and self.not_accounts.search(f"{before} {number}"))


NO_EXEMPTIONS = Exemptions()


def exemptions_of(bulk: BulkFile) -> Exemptions:
    """
    Return what a bulk file's own keys except.

    Raises Misuse for a signal that there is none of, for one that is never ignored or needs a
    reason and has none, and for a pattern that is not valid.
    """
    for signal in bulk.ignore:
        if signal not in SIGNALS or signal in NEVER_IGNORED:
            raise Misuse(
                f"ignore = {signal!r} of {bulk.form}: give one of"
                f" {', '.join(one for one in SIGNALS if one not in NEVER_IGNORED)}."
            )
        if signal in NEEDS_REASON and not bulk.ignore_reason.strip():
            raise Misuse(
                f"ignore = {signal!r} of {bulk.form} lets pages pass that bear another customer's"
                " mark; say in ignore_reason why that is right."
            )
    if bulk.nameless not in NAMELESS:
        raise Misuse(
            f"nameless = {bulk.nameless!r} of {bulk.form}: give one of {', '.join(NAMELESS)}."
        )
    try:
        not_accounts = re.compile(bulk.not_accounts, re.IGNORECASE) if bulk.not_accounts else None
    except re.error as failure:
        raise Misuse(
            f"The pattern not_accounts {bulk.not_accounts!r} is not valid: {failure}."
        ) from None
    return Exemptions(frozenset(bulk.ignore), not_accounts, bulk.may_name_others, bulk.nameless)
