"""Whether a close may go on: by how many people, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.approvals import IN_PREFECT, Decided, Decision
from domain.failures import Refused


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """How many people must say yes, and who may; nobody named: anybody."""

    people: int = 1
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalProgress:
    """How a request stands: who said yes so far, who said no, how many are missing."""

    approved_by: tuple[str, ...]
    refusal: Decided | None
    missing: int
    origins: tuple[str, ...] = ()  # users of the machine who said yes and proved no name

    @property
    def is_approved(self) -> bool:
        return self.refusal is None and self.missing == 0


def weigh(decisions: Sequence[Decided], terms: ApprovalTerms) -> ApprovalProgress:
    """
    Weigh what was decided about one request, in its order.

    A no stands until somebody says yes after it, and takes every earlier yes with it. Two times
    the same person is one person.
    """
    approved: dict[str, str] = {}
    origins: list[str] = []
    refusal: Decided | None = None
    for decided in decisions:
        if decided.decision is Decision.REFUSE:
            approved, origins, refusal = {}, [], decided
            continue
        if decided.origin not in origins:
            approved.setdefault(identity(decided.who), decided.who)
        origins += [decided.origin] if decided.origin else []
        refusal = None
    missing = max(terms.people - len(approved), 0)
    return ApprovalProgress(tuple(approved.values()), refusal, missing, tuple(origins))


def require_may_decide(
    who: str,
    decision: Decision,
    standing: ApprovalProgress,
    terms: ApprovalTerms,
    origin: str = "",
) -> None:
    """
    Raise Refused where this person's word does not count; anybody on the list may refuse.

    `origin` is the machine's user where nothing proves who gave the name: whoever works as that
    user can call themselves what they like, so that two yeses of one user are one person's.
    """
    if terms.approvers and identity(who) not in map(identity, terms.approvers):
        raise Refused(
            "not-an-approver",
            f"{who} may not decide about a close; the setting approval.approvers names who may.",
        )
    known = map(identity, standing.approved_by)
    if decision is Decision.APPROVE and standing.missing and identity(who) in known:
        raise Refused(
            "same-person",
            f"{who} has approved already; with approval.people = {terms.people} "
            "another person has to.",
        )

    if decision is Decision.APPROVE and standing.missing and origin in standing.origins:
        raise Refused(
            "same-person",
            f"{who} works as the same user of this machine ({origin}) as whoever approved already, "
            "and nothing here proves that it is another person; another person has to, with a "
            "login of their own or by sudo from it.",
        )


def identity(who: str) -> str:
    """Return what tells one person from another, wherever they answered."""
    return " ".join(who.removesuffix(IN_PREFECT).split()).casefold()
