"""Where a person's yes or no is asked for and taken, wherever it is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from data_checks.checking import require_waivable
from database.approvals import (
    newest_request,
    record_decision,
    record_request,
    record_waivers,
    waived_checks,
)
from database.audit import record_audit
from database.runs import get_run, move_run
from domain.approvals import ApprovalRequest, Decided, Decision
from domain.failures import Misuse, Refused
from domain.runs import RunState
from office.equipment.office import Office
from office.procedures.checks import raised_checks
from office.procedures.closing.checklist import current_sheet, require_checklist
from reporting.report.approval_request import (
    asked_figures,
    binding_digest,
    blocking_checks,
    say_drift,
    say_figures,
)
from reporting.report.findings_text import say_checklist
from reporting.run_sheet.reading import read_run_sheet
from reporting.run_sheet.run_sheet import RunSheet
from rules.approving import ApprovalProgress, ApprovalTerms, require_may_decide, weigh

ANSWERABLE = (RunState.WAITING, RunState.REFUSED, RunState.APPROVED)


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A question about the figures as they are now, and how it stands."""

    request: ApprovalRequest
    standing: ApprovalProgress
    sheet: RunSheet
    blocking: tuple[str, ...]  # checks that failed and are not waived

    @property
    def figures(self) -> dict[str, Any]:
        """What would happen now."""
        return asked_figures(self.sheet)

    @property
    def drift(self) -> str:
        """What has moved since the question was asked and does not take the answer back."""
        return say_drift(json.loads(self.request.figures), self.figures)


def ask(office: Office, period: str) -> PendingApproval:
    """
    Return the question about what is staged now; it is a new one where the figures changed.

    What was decided about other figures does not count any more.
    """
    known = get_run(office.database, period)
    sheet = current_sheet(office, period)
    with office.database.writing() as books:
        request = record_request(
            books,
            period,
            digest=binding_digest(sheet),
            figures=json.dumps(asked_figures(sheet)),
            at=office.now(known),
            who=office.who,
        )
        waived = waived_checks(books, period)
    blocking = tuple(name for name in blocking_checks(sheet) if name not in waived)
    return PendingApproval(
        request, weigh(request.decisions, terms_of_approval(office)), sheet, blocking
    )


def find_asked(office: Office, period: str) -> PendingApproval | None:
    """Return the question of a run whose figures are still the same; nothing is written."""
    sheet = current_sheet(office, period)
    with office.database.reading() as books:
        request = newest_request(books, period)
        waived = waived_checks(books, period)
    if request is None or request.digest != binding_digest(sheet):
        return None
    blocking = tuple(name for name in blocking_checks(sheet) if name not in waived)
    return PendingApproval(
        request, weigh(request.decisions, terms_of_approval(office)), sheet, blocking
    )


def would_ask(office: Office, period: str) -> PendingApproval:
    """Return the question as it would be asked now, for whoever looks; nothing is written."""
    known, sheet = get_run(office.database, period), current_sheet(office, period)
    figures = json.dumps(asked_figures(sheet))
    request = ApprovalRequest(
        period, 0, binding_digest(sheet), figures, office.now(known), office.who, None
    )
    with office.database.reading() as books:
        waived = waived_checks(books, period)
    blocking = tuple(name for name in blocking_checks(sheet) if name not in waived)
    return PendingApproval(request, weigh((), terms_of_approval(office)), sheet, blocking)


def decide(
    office: Office,
    asked: PendingApproval,
    decision: Decision,
    *,
    who: str,
    reason: str = "",
    waivers: Mapping[str, str] | None = None,
) -> PendingApproval:
    """
    Take one person's decision, with the checks that this person waives; it is audited.

    Raises Misuse where a no has no reason or a check does not exist; Refused where this person's
    word does not count, a check is never waived, one that failed is not waived, or a line of the
    checklist is open that the office insists on.
    """
    waivers = dict(waivers or {})
    terms = terms_of_approval(office)
    if decision is Decision.REFUSE and not reason.strip():
        raise Misuse("A refusal needs a reason: it is audited with it.")
    origin = office.origin if who == office.who else ""
    require_may_decide(who, decision, asked.standing, terms, origin)
    require_waivable(waivers, raised_checks(office))
    if decision is Decision.APPROVE:
        _require_unblocked(asked, waivers)
        require_checklist(office, asked.sheet.checklist)

    period = asked.request.period
    at = office.now(get_run(office.database, period))
    decided = Decided(
        decision,
        who,
        at,
        reason.strip(),
        tuple(sorted(waivers)),
        origin,
        asked.sheet.checklist if decision is Decision.APPROVE else (),
    )
    with office.database.writing() as books:
        record_waivers(books, period, waivers, at=at, who=who)
        record_decision(books, asked.request, decided)
        if decision is Decision.REFUSE:
            move_run(books, period, "refused")
        action = "approve" if decision is Decision.APPROVE else "refuse approval"
        record_audit(books, at, who, action, period, _detail(asked, decided, terms))
    return ask(office, period)


def require_answerable(office: Office, period: str) -> None:
    """Raise Refused for a run that nobody can say yes or no to now, Misuse for an unknown one."""
    known = get_run(office.database, period)
    if known.is_closed:
        raise Refused("period-closed", f"Period {period} is closed; there is nothing to approve.")
    sheet = read_run_sheet(office.database, period)
    if known.state not in ANSWERABLE or not sheet.checks:
        raise Refused(
            "not-ready",
            f"Period {period} is {known.state} and not ready to be approved; "
            f"run `{office.command} close {period}` first, which prepares everything.",
        )


def refused_by(office: Office, period: str, refusal: Decided) -> Refused:
    """Return what stops a close that a person said no to, by the utility's clocks."""
    at = refusal.at.astimezone(ZoneInfo(get_run(office.database, period).timezone))
    return Refused(
        "refused-by-person",
        f"Period {period} is not closed: {refusal.who} refused it on {at:%Y-%m-%d %H:%M} "
        f"({refusal.reason}). Correct the export and close again, or approve it in spite "
        f"of that: {office.command} approve {period}",
    )


def terms_of_approval(office: Office) -> ApprovalTerms:
    """Return how many people have to say yes, and who may."""
    chosen = office.settings.approval
    return ApprovalTerms(chosen.people, chosen.approvers)


def _require_unblocked(asked: PendingApproval, waivers: Mapping[str, str]) -> None:
    left = [name for name in asked.blocking if name not in waivers]
    if left:
        raise Refused(
            left[0],
            f"Period {asked.request.period} cannot be approved: {', '.join(left)} failed. "
            "Waive it by name and reason, or correct the export and close again.",
        )


def _detail(asked: PendingApproval, decided: Decided, terms: ApprovalTerms) -> str:
    """Say what was decided, about which figures, and which of how many people it was."""
    parts = [decided.reason] if decided.reason else []
    if decided.waived:
        parts.append(f"waives {', '.join(decided.waived)}")
    if decided.decision is Decision.APPROVE and terms.people > 1:
        position = min(len(asked.standing.approved_by) + 1, terms.people)
        parts.append(f"{position} of {terms.people} people")
    parts.append(say_figures(asked.figures))
    if decided.checklist:
        parts.append(say_checklist(decided.checklist))
    parts.append(f"request {asked.request.number}, figures {asked.request.digest[:16]}")
    return "; ".join(parts)
