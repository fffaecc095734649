"""A mass mail in the process that a page has begun."""

from __future__ import annotations

import json
from typing import Any

from domain.desk_work import WorkState
from office.equipment.office import Office
from office.prefect_server.flow_runs import run_flow


def send_mailing(office: Office, row: Any) -> dict[str, Any]:
    """Send a recorded mailing to as many mailboxes as a person confirmed, or go on with it."""
    asked = json.loads(row.asked)
    run_flow(office, _load, mailing=asked["mailing"], count=asked["count"])
    return {"state": WorkState.DONE}


def _load() -> Any:
    from flows.send_communication import send_communication

    return send_communication
