"""Taking a close back: shown first, asked for by as many people as a close, then done once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from corrections.undo.looking import UndoBoundary, UndoPlan, look_at_undo, to_figures
from corrections.undo.taking_back import (
    UndoTerms,
    finish_undo,
    read_undone,
    take_back,
    unfinished_undo,
)
from database.approvals import newest_request, record_decision, record_request
from database.audit import record_audit
from database.runs import Run, get_run
from database.tables import print_batch
from domain.approvals import ApprovalRequest, Decided, Decision
from office.equipment import locking
from office.equipment.office import Office
from office.procedures.closing.approval import terms_of_approval
from rules.approving import ApprovalProgress, require_may_decide, weigh
from splitter.printing.batch_file import files_of
from splitter.runs.print_plans import settle

NO_REASON = "no reason given"  # in the record, where a program or a person says yes and not why


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """What an undo is about and how it stands: done, or how many people still have to say yes."""

    plan: UndoPlan
    approved_by: tuple[str, ...] = ()
    missing: int = 0

    @property
    def is_done(self) -> bool:
        return self.missing == 0


def look(office: Office, period: str, *, printed: bool) -> UndoPlan:
    """Show what an undo would do now; `printed`: the print batches have gone to the printer."""
    known = get_run(office.database, period)
    with office.database.reading() as books:
        return look_at_undo(books, period, _boundary(office, known), _fetching(office, printed))


def said_so_far(office: Office, plan: UndoPlan) -> tuple[Decided, ...]:
    """Return who has said yes to taking this very close back, each with the reason."""
    with office.database.reading() as books:
        asked = newest_request(books, plan.key)
    return asked.decisions if asked is not None and asked.digest == plan.digest else ()


def undo(office: Office, period: str, reason: str, *, printed: bool) -> UndoAnswer:
    """
    Say yes to an undo, and carry it out where that is everybody's yes (as the close's approvals).

    Every yes is audited with who said it, when and why, and bound to this very close. An empty
    `reason` is written down as none. Raises Refused as `look_at_undo`, and where
    this person's word does not count.
    """
    known, reason = get_run(office.database, period), reason.strip() or NO_REASON
    with locking.working_on(office, period):
        settle(office.database, period, office.print_folder, office.now(known))
        plan = look(office, period, printed=printed)
        standing = _say_yes(office, known, plan, reason)
        if not standing.is_approved:
            return UndoAnswer(plan, standing.approved_by, standing.missing)
        people = ", ".join(standing.approved_by)
        now, boundary = office.now(known), _boundary(office, known)
        terms = UndoTerms(now, office.who, people, reason, boundary)
        plan = take_back(office.database, period, _fetching(office, printed), terms)
        _remove_files(office, known)
    return UndoAnswer(plan, standing.approved_by)


def finish(office: Office, period: str) -> bool:
    """Remove what a kill left of an undo; tell whether the period stands as taken back."""
    known = get_run(office.database, period)
    if not read_undone(office.database, period):
        return False
    if unfinished_undo(office.database, period) is not None:
        with locking.working_on(office, period):
            _remove_files(office, known)
    return True


def _boundary(office: Office, known: Run) -> UndoBoundary:
    return UndoBoundary(office.settings.undo.days, office.today(known))


_FETCHED = sa.select(print_batch.c.file).where(print_batch.c.fetched_at.is_not(None))


def _fetching(office: Office, printed: bool) -> Callable[[str], bool]:
    """Tell of a print file whether somebody has it: marked, or not where the close wrote it."""

    with office.database.reading() as books:
        marked = set(books.scalars(_FETCHED))

    def is_fetched(file: str) -> bool:
        return printed or file in marked or not (office.home / file).is_file()

    return is_fetched


def _say_yes(office: Office, known: Run, plan: UndoPlan, reason: str) -> ApprovalProgress:
    terms, now = terms_of_approval(office), office.now(known)
    with office.database.writing() as books:
        request = record_request(
            books,
            plan.key,
            digest=plan.digest,
            figures=json.dumps(to_figures(plan)),
            at=now,
            who=office.who,
        )
        standing = weigh(request.decisions, terms)
        if standing.is_approved:  # said before, and killed before it was done
            return standing
        require_may_decide(office.who, Decision.APPROVE, standing, terms, office.origin)
        decided = Decided(Decision.APPROVE, office.who, now, reason, (), office.origin)
        record_decision(books, request, decided)
        detail = f"{plan.closed_at:%Y-%m-%d %H:%M} UTC; {reason}"
        record_audit(books, now, office.who, "approve undo", plan.period, detail)
        asked: ApprovalRequest | None = newest_request(books, plan.key)
    assert asked is not None
    return weigh(asked.decisions, terms)


def _remove_files(office: Office, known: Run) -> None:
    """Remove the print batches that lie there still, and put the old report aside."""
    undone = unfinished_undo(office.database, known.period)
    if undone is None:
        return
    for file in undone.print_files:
        for place in files_of(file):
            (office.home / place).unlink(missing_ok=True)
    report = office.folder("reports") / f"close-{known.period}.html"
    if report.is_file():
        report.replace(report.with_name(f"close-{known.period}-undone-{undone.number}.html"))
    finish_undo(office.database, known.period, office.now(known))
