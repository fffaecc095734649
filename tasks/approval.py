"""Step: a person's yes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any, Literal

from prefect import get_run_logger, runtime
from prefect.input import RunInput
from pydantic import ConfigDict, Field, WithJsonSchema, create_model

from data_checks.checking import unwaivable_check_names
from database.approvals import set_flow_run
from database.runs import find_run, get_run, move_run
from database.tables import bill_run
from domain.approvals import IN_PREFECT, LONGEST_NAME, Decision
from domain.failures import Misuse, Refused
from domain.runs import RunState
from domain.steps import Step
from office.equipment.office import Office, current_office
from office.prefect_server.runs import LOOK_AGAIN, give_up_waiting
from office.procedures.closing.approval import PendingApproval, ask, decide, find_asked, refused_by
from office.procedures.closing.checklist import checklist_of, require_checklist
from reporting.report.approval_request import question, say_figures
from rules.approving import identity
from tasks.steps.artifacts import show_question
from tasks.steps.step import Done, step
from tasks.steps.suspending import (
    DAY_SECONDS,
    is_asked_in_prefect,
    message_of,
    needs,
    question_of,
    suspend_for,
)

LONGEST_REASON = 500
_Name = Annotated[str, Field(max_length=LONGEST_NAME)]


class _Form(RunInput):
    """What the server itself refuses, while the form is still open."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                needs("name", "decision", {"enum": ["approve", "refuse"]}),
                needs("reason", "decision", {"const": "refuse"}),
                needs("reason", "waive", {"minItems": 1}),
            ]
        }
    )


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """What somebody filled in; `decision` is None where nothing was decided."""

    decision: str | None
    name: str
    reason: str
    waive: tuple[str, ...]


def make_form(
    text: str,
    *,
    blocking: tuple[str, ...],
    approvers: tuple[str, ...],
    approved_by: tuple[str, ...],
    note: str,
) -> type[RunInput]:
    """
    Return the form for one question: figures, a choice, the name, a reason, checks to waive.

    The server knows no users, so the name is asked for; where the settings name who may approve
    it is a choice. Only checks that block the close can be waived.
    """
    name_kind = _one_of(("", *approvers)) if approvers else _Name
    fields: dict[str, Any] = {
        "decision": (
            Literal[LOOK_AGAIN, "approve", "refuse"],
            Field(
                title="Decision",
                description="approve: the period is closed. refuse: it is not, and the reason is "
                "kept. look again: nothing is decided, and you are asked once more.",
            ),
        ),
        "name": (
            name_kind,
            Field(
                "",
                title="Your name",
                description="Needed to approve and to refuse; stands in the audit list.",
            ),
        ),
        "reason": (
            str,
            Field(
                "",
                title="Reason",
                description="Needed to refuse and to waive a check; no names of customers.",
                max_length=LONGEST_REASON,
            ),
        ),
    }
    if blocking:
        fields["waive"] = (
            list[_one_of(blocking)],  # type: ignore[misc]
            Field(
                default_factory=list,
                title="Waive these checks",
                description="The bills of the accounts concerned are held back until released.",
            ),
        )
    form = create_model("Approval", __base__=_Form, **fields)
    form._description = _text(text, approved_by, note)
    return form


def _one_of(choices: tuple[str, ...]) -> Any:
    """Return the type of a choice; one that leaves no choice is a list to choose from too."""
    schema = {"type": "string", "enum": list(choices)}
    return Annotated[Literal[choices], WithJsonSchema(schema)]


def to_answer(filled: Any) -> ApprovalAnswer:
    """Read a form that somebody filled in."""
    decision = None if filled.decision == LOOK_AGAIN else str(filled.decision)
    name, reason = (" ".join(part.split()) for part in (filled.name, filled.reason))
    return ApprovalAnswer(decision, name, reason, tuple(getattr(filled, "waive", ())))


def _text(text: str, approved_by: tuple[str, ...], note: str) -> str:
    if approved_by:
        text += f"\n\nApproved by {', '.join(approved_by)}; another person has to approve too."
    return question_of(text, note)


LONGEST = 100  # characters of the column that names who approved


@step(Step.APPROVE)
def await_approval(period: str) -> Done:
    """
    Ask for a person's yes, with the figures of what would happen (rule 1).

    Who closes the period may say it, or it was said elsewhere about these very figures. Without
    it the run waits: everything is ready and nothing of it shows. Raises Refused after a no.
    """
    office = current_office()
    known = get_run(office.database, period)
    if known.is_closed or (office.rehearses and known.state is RunState.APPROVED):
        return Done("approved before", {"approved": True})
    if office.rehearses:
        require_checklist(office, checklist_of(office, period))
        _approve(office, period, (office.who,))
        return Done("would be approved by whoever closes it", {"approved": True})

    asked = ask(office, period)
    if asked.standing.refusal is not None:
        raise refused_by(office, period, asked.standing.refusal)
    if _may_ask(office, asked) and office.approves(asked.sheet):
        asked = decide(office, asked, Decision.APPROVE, who=office.who)
    if not asked.standing.is_approved:
        with office.database.writing() as books:
            move_run(books, period, "asked")
        return Done(_say_waiting(office, asked), {"approved": False, **_figures(asked)})
    _approve(office, period, asked.standing.approved_by)
    sentence = f"approved by {', '.join(asked.standing.approved_by)}"
    if asked.drift:
        sentence += f"; {asked.drift}"
    return Done(sentence, {"approved": True, **_figures(asked)})


def _may_ask(office: Office, asked: PendingApproval) -> bool:
    """Tell whether whoever closes the period can still say yes, and has not done so."""
    said = map(identity, asked.standing.approved_by)
    is_another = identity(office.who) not in said and office.origin not in asked.standing.origins
    return not asked.standing.is_approved and is_another


def _approve(office: Office, period: str, people: tuple[str, ...]) -> None:
    known = get_run(office.database, period)
    if known.state is RunState.APPROVED:
        return
    with office.database.writing() as books:
        move_run(books, period, "approved")
        books.execute(
            bill_run.update()
            .where(bill_run.c.period == period)
            .values(approved_at=office.now(known), approved_by=", ".join(people)[:LONGEST])
        )


def _figures(asked: PendingApproval) -> dict[str, object]:
    standing = asked.standing
    return {
        "request": asked.request.number,
        "approved_by": list(standing.approved_by),
        "missing": standing.missing,
    }


def _say_waiting(office: Office, asked: PendingApproval) -> str:
    period = asked.request.period
    if asked.standing.approved_by:
        said = ", ".join(asked.standing.approved_by)
        return f"approved by {said}; another person has to: {office.command} approve {period}"
    return f"waits for a yes: {office.command} close {period} --yes"


def ask_a_person(period: str) -> bool:
    """
    Ask in the Prefect UI, where a deployment runs; False: nobody can be asked here.

    Neither where a check failed that is never waived. The first time the run is suspended: no
    process waits, and the run starts again from the top when somebody has answered. Then the
    answer is there at once; it is taken, and True says that the run may look again. What cannot
    be taken is said in the next form. Raises Refused after a no.
    """
    office = current_office()
    if not is_asked_in_prefect(office):
        return False
    asked = ask(office, period)
    if not _can_be_answered(office, asked):
        return False
    if asked.request.flow_run != str(runtime.flow_run.id):
        with office.database.writing() as books:
            set_flow_run(books, asked.request, str(runtime.flow_run.id))
        give_up_waiting(office, asked.request.flow_run)
        show_question(period, question(asked.figures, asked.blocking, asked.sheet))
    _take(office, asked)
    return True


def _can_be_answered(office: Office, asked: PendingApproval) -> bool:
    """Tell whether a yes would help: the run waits for one, or each check can be waived."""
    if asked.blocking:
        return not unwaivable_check_names(asked.blocking, raised=asked.blocking)
    return get_run(office.database, asked.request.period).state is RunState.WAITING


def take_answer_given(period: str) -> None:
    """Take what a person answered while this very run was suspended, before anything is redone."""
    office = current_office()
    if not is_asked_in_prefect(office):
        return
    known = find_run(office.database, period)
    asked = None if known is None or known.is_closed else find_asked(office, period)
    if asked is None or asked.standing.is_approved:
        return
    if asked.request.flow_run == str(runtime.flow_run.id):
        ask_a_person(period)


def _take(office: Office, asked: PendingApproval) -> None:
    """Ask again and again until a decision is in the books, here or from elsewhere."""
    period, number = asked.request.period, asked.request.number
    said = len(asked.request.decisions)
    note = ""
    for attempt in count():
        form = make_form(
            question(asked.figures, asked.blocking, asked.sheet, named=True),
            blocking=asked.blocking,
            approvers=office.settings.approval.approvers,
            approved_by=asked.standing.approved_by,
            note=note,
        )
        answer = to_answer(
            suspend_for(
                form,
                key=f"{period}-{number}-{said}-{attempt}",
                timeout=office.settings.approval.wait_days * DAY_SECONDS,
                message=_message(asked, note),
            )
        )
        note = _decide(office, asked, answer)
        now = ask(office, period)
        if now.standing.refusal is not None:
            raise refused_by(office, period, now.standing.refusal)
        if now.request.number != number or len(now.request.decisions) != said:
            return


def _decide(office: Office, asked: PendingApproval, answer: ApprovalAnswer) -> str:
    """Take an answer; return why it was not taken, as a sentence for the next form."""
    if answer.decision is None:
        return ""
    if not answer.name:
        return "Fill in your name: the decision is audited with it."
    if answer.waive and not answer.reason:
        return "Give a reason: a waiver is audited with it."
    try:
        decide(
            office,
            asked,
            Decision(answer.decision),
            who=f"{answer.name}{IN_PREFECT}",
            reason=answer.reason,
            waivers=dict.fromkeys(answer.waive, answer.reason),
        )
    except (Refused, Misuse) as not_taken:
        get_run_logger().warning("the answer was not taken: %s", not_taken.message)
        return not_taken.message
    return ""


def _message(asked: PendingApproval, note: str) -> str:
    """Say in one sentence what waits, and what to do where."""
    period = asked.request.period
    what = f"Period {period} ({say_figures(asked.figures)})"
    if asked.blocking:
        what += f" is stopped by {', '.join(asked.blocking)} and"
    waits = "waits for a second person's yes" if asked.standing.approved_by else "waits for a yes"
    return message_of(f"{what} {waits}", note, f"billclose approve {period}")
