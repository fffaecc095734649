"""The form in the Prefect UI in which a person says yes or no to a close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from prefect.input import RunInput
from pydantic import ConfigDict, Field, WithJsonSchema, create_model

from domain.approvals import LONGEST_NAME

LOOK_AGAIN = "look again"  # what Resume means where nobody chose: nothing is decided
LONGEST_REASON = 500
WHERE = "Your answer goes **below these figures**: scroll down. *Resume* alone decides nothing.\n"
_Name = Annotated[str, Field(max_length=LONGEST_NAME)]
_FILLED = {"minLength": 1}


def _needs(field: str, when: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return the rule of a JSON schema that a field is filled in where another has a value."""
    return {
        "if": {"properties": {when: value}, "required": [when]},
        "then": {"properties": {field: _FILLED}, "required": [field]},
    }


class _Form(RunInput):
    """What the server itself refuses, while the form is still open."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                _needs("name", "decision", {"enum": ["approve", "refuse"]}),
                _needs("reason", "decision", {"const": "refuse"}),
                _needs("reason", "waive", {"minItems": 1}),
            ]
        }
    )


@dataclass(frozen=True, slots=True)
class Answer:
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
                LOOK_AGAIN,
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
                description="The accounts concerned get no e-mail, and autopay draws nothing.",
            ),
        )
    form = create_model("Approval", __base__=_Form, **fields)
    form._description = _text(text, approved_by, note)
    return form


def _one_of(choices: tuple[str, ...]) -> Any:
    """Return the type of a choice; one that leaves no choice is a list to choose from too."""
    schema = {"type": "string", "enum": list(choices)}
    return Annotated[Literal[choices], WithJsonSchema(schema)]


def to_answer(filled: Any) -> Answer:
    """Read a form that somebody filled in."""
    decision = None if filled.decision == LOOK_AGAIN else str(filled.decision)
    name, reason = (" ".join(part.split()) for part in (filled.name, filled.reason))
    return Answer(decision, name, reason, tuple(getattr(filled, "waive", ())))


def _text(text: str, approved_by: tuple[str, ...], note: str) -> str:
    parts = [f"> **The last answer was not taken.** {note}\n"] if note else []
    parts += [WHERE, text]
    if approved_by:
        parts.append(f"\nApproved by {', '.join(approved_by)}; another person has to approve too.")
    return "\n".join(parts)
