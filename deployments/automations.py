"""The alerts' triggers in a Prefect server: made from automations.yaml, as often as you like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import AutomationCore

FILE = Path(__file__).with_name("automations.yaml")
WATCH = "health-watch"


def ensure_automations(client: SyncPrefectClient) -> tuple[str, ...]:
    """
    Make each automation, or bring it up to date; return the names of those that were changed.

    Those of the same name are ours; one that a person switched off in the UI stays off. The flow
    that they start has to be deployed before.
    """
    watch = client.read_deployment_by_name(f"{WATCH}/{WATCH}")
    changed = []
    for wanted in planned(str(watch.id)):
        same = client.read_automations_by_name(wanted.name)
        if not same:
            client.create_automation(wanted)
        elif _changes(same[0], wanted):
            client.update_automation(
                same[0].id, wanted.model_copy(update={"enabled": same[0].enabled})
            )
        else:
            continue
        changed.append(wanted.name)
    return tuple(changed)


def planned(watch: str) -> list[AutomationCore]:
    """Return what the file says; each starts the deployment with that id, or does what it says."""
    action = {"type": "run-deployment", "source": "selected", "deployment_id": watch}
    written: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [
        AutomationCore.model_validate({"tags": ["office"], "actions": [action], **one})
        for one in written["automations"]
    ]


def _changes(there: AutomationCore, wanted: AutomationCore) -> bool:
    """Compare values, not JSON: there a set is a list in an order of its own."""
    compared = {"description", "trigger", "actions", "tags"}
    ours, theirs = (
        one.model_dump(include=compared, exclude={"trigger": {"id"}}) for one in (wanted, there)
    )
    return ours != theirs


if __name__ == "__main__":
    with get_client(sync_client=True) as the_client:
        print(*ensure_automations(the_client), sep="\n")
