"""Did the scheduled runs begin: a look at the Prefect server, where one answers."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from database.tables import approval_request, bill_run
from domain.causes import say_cause
from domain.runs import RunState
from domain.troubles import say_work
from office.health.conditions import Condition, Looking, State, or_well, trouble, unwatched
from office.secrets.prefect_access import authorization, current_address, current_auth

KIND, SERVER = "run-late", "prefect-down"
HELD = "AwaitingConcurrencySlot"  # another run of the same flow is under way
WAITING = ("Scheduled", "Late", HELD)
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)
MOST = 200  # runs that are looked at
LATE_REMEDY = (
    "Ask whoever looks after the machine to see that billclose runs there, or the service that "
    "serves the flows, and to start the run by hand if the night is over."
)
HELD_REMEDY = (
    "Look in the Prefect UI whether that other run hangs, or waits for a yes; cancel it there if "
    "it hangs, and the one that waits begins."
)


def late_runs(looking: Looking, seconds: float) -> list[Condition]:
    """
    Find the deployments whose scheduled run has not begun by its time and the grace.

    A server that the settings name has to answer; one that the office runs itself may be off.
    """
    named = looking.office.settings.prefect.api_url
    address = named or os.environ.get("PREFECT_API_URL", "") or _announced(looking.office.home)
    if not address:
        return unwatched(KIND, "No Prefect server is known.")
    before = looking.now - timedelta(minutes=looking.office.settings.health.late_minutes)
    try:
        runs = ask_server(address, "flow_runs/filter", _waiting(before), seconds)
        names = _names(address, runs, seconds)
    except NO_ANSWER as failure:
        return _unanswered(looking, say_cause(failure), is_needed=bool(named))
    return or_well(KIND, _late(looking, runs, names), "No scheduled run is late.")


def _announced(home: Path) -> str:
    """Return the address that `billclose up` leaves in the home while it runs."""
    try:
        return (home / "prefect" / "server.url").read_text().strip()
    except OSError:
        return ""


def _waiting(before: datetime) -> dict[str, Any]:
    return {
        "flow_runs": {
            "state": {"name": {"any_": WAITING}},
            "expected_start_time": {"before_": before.isoformat()},
            "deployment_id": {"is_null_": False},
        },
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": MOST,
    }


def _names(address: str, runs: list[Any], seconds: float) -> dict[str, str]:
    """Return the names of the runs' deployments."""
    wanted = sorted({run["deployment_id"] for run in runs})
    if not wanted:
        return {}
    query = {"deployments": {"id": {"any_": wanted}}}
    found = ask_server(address, "deployments/filter", query, seconds)
    return {one["id"]: one["name"] for one in found}


def _late(looking: Looking, runs: list[Any], names: dict[str, str]) -> Iterator[Condition]:
    oldest: dict[str, datetime] = {}
    held = {names.get(run["deployment_id"]) for run in runs if run.get("state_name") == HELD}
    for run in runs:
        name = names.get(run["deployment_id"], "a deployment")
        due = datetime.fromisoformat(run["expected_start_time"].replace("Z", "+00:00"))
        oldest[name] = min(due, oldest.get(name, due))
    for name, due in sorted(oldest.items()):
        yield trouble(
            KIND,
            name,
            due,
            f"The run of {say_work(name)} that was due at {looking.say_time(due)} has not begun"
            + (": another run of it is under way." if name in held else "."),
            HELD_REMEDY if name in held else LATE_REMEDY,
            command="" if name in held else f"{looking.office.command} up",
        )


def _unanswered(looking: Looking, why: str, *, is_needed: bool) -> list[Condition]:
    unknown = Condition(KIND, State.UNKNOWN, "The Prefect server does not answer.")
    if not is_needed:
        return [unknown]
    detail = f"The Prefect server of prefect.api_url does not answer ({why})."
    remedy = "Ask IT to start it again: without it no scheduled run begins."
    return [unknown, trouble(SERVER, "", looking.now, detail, remedy, looking.grace)]


def ask_server(address: str, path: str, query: dict[str, Any], seconds: float) -> list[Any]:
    """Ask the server; raises what stands in NO_ANSWER. Its own client takes long to load."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=seconds)) as line:
        headers = {"Content-Type": "application/json"} | _authorization()
        line.request("POST", f"{parts.path.rstrip('/')}/{path}", json.dumps(query), headers)
        answer = line.getresponse()
        if answer.status != http.client.OK:
            raise ValueError(f"status {answer.status}")
        found: list[Any] = json.loads(answer.read())
        return found


def _authorization() -> dict[str, str]:
    """Return what Prefect's own settings, or ours, have the client say of itself."""
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    return authorization(current_auth())


WAITS, FAILED = "close-waits", "run-failed"
ENDED = ("COMPLETED", "FAILED", "CRASHED")
BACK = timedelta(days=7)


def waiting_closes(looking: Looking) -> list[Condition]:
    """Find the periods that have waited for a person's yes for longer than the settings allow."""
    hours = looking.office.settings.health.approval_hours
    if not hours:
        return unwatched(WAITS, "health.approval_hours is 0.")
    asked = sa.func.min(approval_request.c.asked_at)
    query = (
        sa.select(bill_run.c.period, asked.label("asked_at"))
        .join(approval_request, approval_request.c.period == bill_run.c.period)
        .where(bill_run.c.state == RunState.WAITING)
        .group_by(bill_run.c.period)
        .order_by(bill_run.c.period)
    )
    with looking.office.database.reading() as books:
        rows = list(books.execute(query))
    patience = timedelta(hours=hours)
    troubles = (
        trouble(
            WAITS,
            row.period,
            row.asked_at + patience,
            f"The close of {row.period} has waited for a yes since "
            f"{looking.say_time(row.asked_at)}.",
            "Look at it, then say yes or no.",
            command=f"{looking.office.command} approve {row.period}",
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
                f"The last run of {say_work(name)} ended as {str(run['state_name']).lower()}.",
                "Read its message in the Prefect UI, put right what it names, and start it again; "
                "what was done is not done twice.",
            )
