"""Asking a person in the Prefect UI: the run is suspended until somebody fills in a form."""

from __future__ import annotations

from itertools import count

from prefect import get_run_logger, runtime

from data_checks.checking import unwaivable_check_names
from database.approvals import set_flow_run
from database.runs import find_run, get_run
from domain.approvals import IN_PREFECT, Decision
from domain.failures import Misuse, Refused
from domain.runs import RunState
from office.approval_desk import Asked, ask, decide, find_asked, refused_by
from office.wiring import Office, office
from reporting.request import question, say_figures
from tasks.approval_form import Answer, make_form
from tasks.artifacts import show_question
from tasks.suspending import suspend_for

DAY_SECONDS = 86_400


def ask_a_person(run: str) -> bool:
    """
    Ask in the Prefect UI, where a deployment runs; False: nobody can be asked here.

    Neither where a check failed that is never waived. The first time the run is suspended: no
    process waits, and the run starts again from the top when somebody has answered. Then the
    answer is there at once; it is taken, and True says that the run may look again. What cannot
    be taken is said in the next form. Raises Refused after a no.
    """
    here = office()
    if not here.asks_in_prefect or not runtime.deployment.id:
        return False
    asked = ask(here, run)
    if not _can_be_answered(here, asked):
        return False
    if asked.request.flow_run != str(runtime.flow_run.id):
        with here.database.writing() as books:
            set_flow_run(books, asked.request, str(runtime.flow_run.id))
        show_question(run, question(asked.figures, asked.blocking))
    _take(here, asked)
    return True


def _can_be_answered(here: Office, asked: Asked) -> bool:
    """Tell whether a yes would help: the run waits for one, or each check can be waived."""
    if asked.blocking:
        return not unwaivable_check_names(asked.blocking)
    return get_run(here.database, asked.request.run).state is RunState.WAITING


def take_answer_given(run: str) -> None:
    """Take what a person answered while this very run was suspended, before anything is redone."""
    here = office()
    if not here.asks_in_prefect or not runtime.deployment.id:
        return
    known = find_run(here.database, run)
    asked = None if known is None or known.is_closed else find_asked(here, run)
    if asked is None or asked.standing.is_approved:
        return
    if asked.request.flow_run == str(runtime.flow_run.id):
        ask_a_person(run)


def _take(here: Office, asked: Asked) -> None:
    """Ask again and again until a decision is in the books, here or from elsewhere."""
    run, number = asked.request.run, asked.request.number
    said = len(asked.request.decisions)
    note = ""
    for attempt in count():
        form = make_form(
            question(asked.figures, asked.blocking),
            blocking=asked.blocking,
            approvers=here.settings.approval.approvers,
            approved_by=asked.standing.approved_by,
            note=note,
        )
        answer = suspend_for(
            form,
            key=f"{run}-{number}-{said}-{attempt}",
            timeout=here.settings.approval.wait_days * DAY_SECONDS,
            message=_message(asked, note),
        )
        note = _decide(here, asked, answer)
        now = ask(here, run)
        if now.standing.refusal is not None:
            raise refused_by(here, run, now.standing.refusal)
        if now.request.number != number or len(now.request.decisions) != said:
            return


def _decide(here: Office, asked: Asked, answer: Answer) -> str:
    """Take an answer; return why it was not taken, as a sentence for the next form."""
    if answer.decision is None:
        return ""
    if not answer.name:
        return "Fill in your name: the decision is audited with it."
    if answer.waive and not answer.reason:
        return "Give a reason: a waiver is audited with it."
    try:
        decide(
            here,
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


def _message(asked: Asked, note: str) -> str:
    """Say in one sentence what waits, and what to do where."""
    run = asked.request.run
    what = f"Period {run} ({say_figures(asked.figures)})"
    if asked.blocking:
        what += f" is stopped by {', '.join(asked.blocking)} and"
    waits = "waits for a second person's yes" if asked.standing.approved_by else "waits for a yes"
    where = "press Resume in this run's menu and fill in the form"
    last = f" (the last answer was not taken: {note.rstrip('.')})" if note else ""
    return f"{what} {waits}{last}: {where}, or run `billclose approve {run}`."
