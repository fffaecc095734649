"""Step: a person's yes."""

from __future__ import annotations

from database.runs import get_run, move_run
from database.tables import bill_run
from domain.approvals import Decision
from domain.runs import RunState
from domain.steps import Step
from office.approval_desk import Asked, ask, decide, refused_by
from office.wiring import Office, office
from rules.approving import identity
from tasks.step import Done, step

LONGEST = 100  # characters of the column that names who approved


@step(Step.APPROVE)
def await_approval(run: str) -> Done:
    """
    Ask for a person's yes, with the figures of what would happen (rule 1).

    Who closes the period may say it, or it was said elsewhere about these very figures. Without
    it the run waits: everything is ready and nothing of it shows. Raises Refused after a no.
    """
    here = office()
    known = get_run(here.database, run)
    if known.is_closed or (here.rehearses and known.state is RunState.APPROVED):
        return Done("approved before", {"approved": True})
    if here.rehearses:
        _approve(here, run, (here.who,))
        return Done("would be approved by whoever closes it", {"approved": True})

    asked = ask(here, run)
    if asked.standing.refusal is not None:
        raise refused_by(here, run, asked.standing.refusal)
    if _may_ask(here, asked) and here.approves(asked.sheet):
        asked = decide(here, asked, Decision.APPROVE, who=here.who)
    if not asked.standing.is_approved:
        with here.database.writing() as books:
            move_run(books, run, "asked")
        return Done(_say_waiting(here, asked), {"approved": False, **_figures(asked)})
    _approve(here, run, asked.standing.approved_by)
    sentence = f"approved by {', '.join(asked.standing.approved_by)}"
    if asked.drift:
        sentence += f"; {asked.drift}"
    return Done(sentence, {"approved": True, **_figures(asked)})


def _may_ask(here: Office, asked: Asked) -> bool:
    """Tell whether whoever closes the period can still say yes, and has not done so."""
    said = map(identity, asked.standing.approved_by)
    return not asked.standing.is_approved and identity(here.who) not in said


def _approve(here: Office, run: str, people: tuple[str, ...]) -> None:
    known = get_run(here.database, run)
    if known.state is RunState.APPROVED:
        return
    with here.database.writing() as books:
        move_run(books, run, "approved")
        books.execute(
            bill_run.update()
            .where(bill_run.c.run == run)
            .values(approved_at=here.now(known), approved_by=", ".join(people)[:LONGEST])
        )


def _figures(asked: Asked) -> dict[str, object]:
    standing = asked.standing
    return {
        "request": asked.request.number,
        "approved_by": list(standing.approved_by),
        "missing": standing.missing,
    }


def _say_waiting(here: Office, asked: Asked) -> str:
    run = asked.request.run
    if asked.standing.approved_by:
        said = ", ".join(asked.standing.approved_by)
        return f"approved by {said}; another person has to: {here.command} approve {run}"
    return f"waits for a yes: {here.command} close {run} --yes"
