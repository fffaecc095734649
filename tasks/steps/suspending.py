"""A run that waits for a filled-in form, with no process that waits for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect import State, runtime
from prefect._flow_run_suspension import mark_flow_run_suspension_requested
from prefect.client.orchestration import get_client
from prefect.exceptions import Pause
from prefect.input import RunInput, keyset_from_paused_state
from prefect.states import Suspended
from prefect.utilities.engine import propose_state_sync

from office.equipment.office import Office

DAY_SECONDS = 86_400
WHERE = "Your answer goes **below these figures**: scroll down. *Resume* alone decides nothing.\n"
FILLED = {"minLength": 1}


def is_asked_in_prefect(office: Office) -> bool:
    """Tell whether a person can answer in the Prefect UI: a run of a deployment waits there."""
    return office.asks_in_prefect and bool(runtime.deployment.id)


def needs(
    field: str, when: str, value: dict[str, Any], filled: dict[str, Any] = FILLED
) -> dict[str, Any]:
    """Return the rule of a JSON schema that a field is filled in where another has a value."""
    return {
        "if": {"properties": {when: value}, "required": [when]},
        "then": {"properties": {field: filled}, "required": [field]},
    }


def question_of(figures: str, note: str) -> str:
    """Return what stands above a form; `note` says why the last answer was not taken."""
    parts = [f"> **The last answer was not taken.** {note}\n"] if note else []
    return "\n".join([*parts, WHERE, figures])


def message_of(what_waits: str, note: str, command: str) -> str:
    """Say in one sentence what waits, and what to do where."""
    last = f" (the last answer was not taken: {note.rstrip('.')})" if note else ""
    return (
        f"{what_waits}{last}: press Resume in this run's menu and fill in the form, or run "
        f"`{command}`."
    )


def suspend_for(form: type[RunInput], *, key: str, timeout: int, message: str) -> Any:
    """
    Suspend this run until the form is filled in, and give it; after `timeout` seconds it fails.

    Asked again with the same key, as by a run that was resumed and starts from the top, it gives
    the answer at once. This is Prefect's suspend_flow_run, which cannot give the state a message:
    what to do where stands there, because people see it first.
    """
    flow_run = UUID(str(runtime.flow_run.id))
    state: State[Any] = Suspended(timeout_seconds=timeout, pause_key=key, message=message)
    keyset = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = {str(part): name for part, name in keyset.items()}
    with get_client(sync_client=True) as client:
        accepted = propose_state_sync(client=client, state=state, flow_run_id=flow_run)
        if accepted.is_running():  # it was suspended with this key before, and resumed
            return form.load(keyset, flow_run_id=flow_run)
        if not accepted.is_paused():
            raise RuntimeError(f"the run cannot be suspended: it is {accepted.name}")
        form.save(keyset, flow_run_id=flow_run)
    mark_flow_run_suspension_requested(flow_run, state)
    raise Pause(state=accepted)
