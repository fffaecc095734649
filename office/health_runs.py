"""Did what was started end well: closes that wait, and flows whose last run failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.tables import approval_request, bill_run
from domain.runs import RunState
from office.health_condition import Condition, State, or_well, trouble, unwatched
from office.health_looking import Looking
from office.health_prefect import NO_ANSWER, ask_server
from office.prefect_access import current_address

WAITS, FAILED = "close-waits", "run-failed"
ENDED = ("COMPLETED", "FAILED", "CRASHED")
BACK = timedelta(days=7)


def waiting_closes(looking: Looking) -> list[Condition]:
    """Find the periods that have waited for a person's yes for longer than the settings allow."""
    hours = looking.here.settings.health.approval_hours
    if not hours:
        return unwatched(WAITS, "health.approval_hours is 0.")
    asked = sa.func.min(approval_request.c.asked_at)
    query = (
        sa.select(bill_run.c.run, asked.label("asked_at"))
        .join(approval_request, approval_request.c.run == bill_run.c.run)
        .where(bill_run.c.state == RunState.WAITING)
        .group_by(bill_run.c.run)
        .order_by(bill_run.c.run)
    )
    with looking.here.database.reading() as books:
        rows = list(books.execute(query))
    patience = timedelta(hours=hours)
    troubles = (
        trouble(
            WAITS,
            row.run,
            row.asked_at + patience,
            f"The close of {row.run} has waited for a yes since {row.asked_at:%Y-%m-%d %H:%M} UTC.",
            f"Look at it, then run: {looking.here.command} approve {row.run}",
        )
        for row in rows
        if looking.now - row.asked_at > patience
    )
    return or_well(WAITS, troubles, "No close waits for too long.")


def failed_runs(looking: Looking, seconds: float) -> list[Condition]:
    """
    Find the deployments whose last run failed or crashed; the next that ends well ends it.

    What a person started counts too: a close that was refused is nothing to forget.
    """
    address = current_address()
    if not address:
        return unwatched(FAILED, "No Prefect server is known.")
    try:
        last = list(_last_runs(address, looking.now, seconds))
    except NO_ANSWER:
        return [Condition(FAILED, State.UNKNOWN, "The Prefect server does not answer.")]
    return or_well(FAILED, _failed(last), "What ran last ended well.")


def _last_runs(address: str, now: datetime, seconds: float) -> Iterator[tuple[str, Any]]:
    """Yield each deployment of ours with its last run that ended, if one did of late."""
    ours = {"deployments": {"tags": {"all_": ["office"]}}}
    for deployment in ask_server(address, "deployments/filter", ours, seconds):
        query = {
            "flow_runs": {
                "deployment_id": {"any_": [deployment["id"]]},
                "state": {"type": {"any_": ENDED}},
                "end_time": {"after_": (now - BACK).isoformat()},
            },
            "sort": "END_TIME_DESC",
            "limit": 1,
        }
        for run in ask_server(address, "flow_runs/filter", query, seconds):
            yield deployment["name"], run


def _failed(last: list[tuple[str, Any]]) -> Iterator[Condition]:
    for name, run in last:
        if run["state_type"] != "COMPLETED":
            yield trouble(
                FAILED,
                name,
                datetime.fromisoformat(run["end_time"].replace("Z", "+00:00")),
                f"The last run of {name} ended as {str(run['state_name']).lower()}.",
                "Read its message in the Prefect UI, put right what it names, and start it again; "
                "what was done is not done twice.",
            )
