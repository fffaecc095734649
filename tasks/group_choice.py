"""The groups of a late schedule, chosen by a person in the Prefect UI."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import Annotated, Any, Literal

from prefect.input import RunInput
from pydantic import ConfigDict, Field, create_model

from database.audit import record_audit
from database.runs import get_run
from domain.approvals import IN_PREFECT, LONGEST_NAME
from domain.schedule_groups import ScheduleGroup
from office.equipment.office import Office, current_office
from office.prefect_server.runs import LOOK_AGAIN
from office.procedures.closing.late_schedule import Groups, groups_to_choose, say_groups
from tasks.steps.artifacts import show_groups
from tasks.steps.suspending import (
    DAY_SECONDS,
    is_asked_in_prefect,
    message_of,
    needs,
    question_of,
    suspend_for,
)

SCHEDULE, NOBODY = "schedule", "nobody"
NAMES = tuple(group.value for group in ScheduleGroup)


class _Form(RunInput):
    """What the server itself refuses, while the form is still open."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                needs("name", "decision", {"enum": [SCHEDULE, NOBODY]}),
                needs("groups", "decision", {"const": SCHEDULE}, {"minItems": 1}),
            ]
        }
    )


def choose_groups(period: str) -> list[str] | None:
    """
    Ask in the Prefect UI which groups of a late schedule to take (rules 59, 73; ruling 21).

    None: all of them, for the schedule is not late, or nobody can be asked here. A run waits
    suspended, starts again from the top once somebody has answered, and goes by the answer as
    long as the groups are still those that were shown; the choice is audited with the name.
    """
    office = current_office()
    if not is_asked_in_prefect(office):
        return None
    note = ""
    for attempt in count():
        groups = groups_to_choose(office, period)
        if groups is None:
            return None
        text = question(period, groups, note)
        show_groups(period, text)
        answer = suspend_for(
            make_form(text),
            key=f"groups-{period}-{_figures(groups)}-{attempt}",
            timeout=office.settings.approval.wait_days * DAY_SECONDS,
            message=message_of(
                f"The schedule of {period} is late and waits for a choice of its groups",
                note,
                f"billclose schedule-autopay {period}",
            ),
        )
        name = " ".join(answer.name.split())
        if answer.decision == LOOK_AGAIN:
            note = ""
        elif not name:
            note = "Fill in your name: the choice is audited with it."
        elif answer.decision == SCHEDULE and not answer.groups:
            note = "Choose a group, or the decision nobody."
        else:
            chosen = list(answer.groups) if answer.decision == SCHEDULE else []
            _record(office, period, name, chosen)
            return chosen
    raise AssertionError("unreachable")


def make_form(text: str) -> type[RunInput]:
    """Return the form: the groups in words, a decision, which of them, and the name."""
    fields: dict[str, Any] = {
        "decision": (
            Literal[LOOK_AGAIN, SCHEDULE, NOBODY],
            Field(
                title="Decision",
                description="schedule: the groups below, and nobody else. nobody: all of them "
                "wait for a later run. look again: nothing is decided, and you are asked once "
                "more.",
            ),
        ),
        "groups": (
            list[Literal[NAMES]],  # type: ignore[valid-type]
            Field(default_factory=list, title="Schedule these groups"),
        ),
        "name": (
            Annotated[str, Field(max_length=LONGEST_NAME)],
            Field("", title="Your name", description="Stands in the audit list."),
        ),
    }
    form = create_model("Groups", __base__=_Form, **fields)
    form._description = text
    return form


def question(period: str, groups: Groups, note: str = "") -> str:
    """Write for the form who would be charged when, group by group."""
    lines = [
        f"The schedule of {period} is late: who would be charged when\n",
        *(f"- {' '.join(line.split())}" for line in say_groups(groups)),
    ]
    return question_of("\n".join(lines), note)


def _figures(groups: Groups) -> str:
    """Give a short mark of the figures: an answer counts only for those that were shown."""
    return sha256(repr(sorted(groups.items())).encode()).hexdigest()[:12]


def _record(office: Office, period: str, name: str, chosen: list[str]) -> None:
    """Write down who chose which groups; taken once more after a crash, it is written again."""
    now = office.now(get_run(office.database, period))
    words = ", ".join(chosen) or NOBODY
    with office.database.writing() as books:
        record_audit(books, now, f"{name}{IN_PREFECT}", "choose groups", period, words)
