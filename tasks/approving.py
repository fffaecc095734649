"""Step: a person's yes."""

from __future__ import annotations

from database.auditing import record_audit
from database.runs import get_run, move_run
from database.tables import bill_run
from domain.runs import RunState
from domain.steps import Step
from office.wiring import office
from reporting.reading import read_run_sheet
from tasks.step import Done, step


@step(Step.APPROVE)
def await_approval(run: str) -> Done:
    """
    Ask whoever closes the period, with the figures of what would happen (rule 1).

    Without a yes the run waits: everything is ready and nothing of it shows.
    """
    here = office()
    known = get_run(here.database, run)
    if known.is_closed or known.state is RunState.APPROVED:
        return Done("approved before", {"approved": True})

    approved = here.approves(read_run_sheet(here.database, run))
    with here.database.writing() as books:
        move_run(books, run, "approved" if approved else "asked")
        if approved:
            books.execute(
                bill_run.update()
                .where(bill_run.c.run == run)
                .values(approved_at=here.now(known), approved_by=here.who)
            )
            record_audit(books, here.now(known), here.who, "approve", run)
    if not approved:
        return Done(f"waits for a yes: {here.command} close {run} --yes", {"approved": False})
    return Done(f"approved by {here.who}", {"approved": True})
