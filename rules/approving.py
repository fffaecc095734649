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
    refusal: Decided | None = None
    for decided in decisions:
        if decided.decision is Decision.REFUSE:
            approved, refusal = {}, decided
        else:
            approved.setdefault(identity(decided.who), decided.who)
            refusal = None
    missing = max(terms.people - len(approved), 0)
    return ApprovalProgress(tuple(approved.values()), refusal, missing)


def require_may_decide(
    who: str, decision: Decision, standing: ApprovalProgress, terms: ApprovalTerms
) -> None:
    """Raise Refused where this person's word does not count; anybody on the list may refuse."""
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


def identity(who: str) -> str:
    """Return what tells one person from another, wherever they answered."""
    return " ".join(who.removesuffix(IN_PREFECT).split()).casefold()
