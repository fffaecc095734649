"""Flow runs at the Prefect server that an office knows: started, and taken up again."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any
from uuid import uuid4

import httpx

from database.owners import is_gone
from domain.causes import say_cause
from domain.failures import Misuse, TemporaryFailure
from office.equipment.office import Office
from office.prefect_server.owner import has_owner, is_own
from office.secrets.prefect_access import announced, authorization, known_auth

ANSWER_SECONDS = httpx.Timeout(60, connect=5)  # a busy server answers late; a dead one at once
RESTS = (0.5, 2.0, 5.0)  # seconds; a server whose database is busy has time to come through
REST = timedelta(minutes=10)  # what failed is not started by the minute
OPEN = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")
ENDED_BADLY = ("FAILED", "CRASHED")
SUSPENDED = "PAUSED"  # as the server calls the kind of state
ASKED_ELSEWHERE = "The period was begun once more: the newer run waits for the answer."
TAG = "by-the-rounds"
PROCESS_LABEL = "billclose.process"  # of a run: the process that carries it out
GONE = "The process that ran this is gone; run it again and it goes on where it was."
MOST_RUNS = 200
LOOK_AGAIN = "look again"  # what whoever wakes a run chooses in its form: nothing is decided here
FIRST_DEPLOYMENT = "close-period"


def known_address(office: Office) -> str:
    """Return where a Prefect server answers: as set, or that of a running `up`; empty: nowhere."""
    chosen = office.settings.prefect.api_url
    return chosen or os.environ.get("PREFECT_API_URL", "") or announced(office.home)


def wake(office: Office, flow_run: str | None) -> bool:
    """
    Let a suspended run look again; tell whether a server took that up.

    Nothing depends on it: the decision is in the books, and whoever runs the close again goes on.
    """
    if not flow_run or not known_address(office):
        return False
    with KnownServer(office) as server:
        try:
            return server.resume(flow_run)
        except TemporaryFailure:
            return False


def give_up_waiting(office: Office, flow_run: str | None) -> bool:
    """
    End a suspended run whose question another run asks now; tell whether a server did.

    Nothing depends on it either: an answer is taken from the run that asked last.
    """
    if not flow_run or not known_address(office):
        return False
    with KnownServer(office) as server:
        try:
            return server.cancel_suspended(flow_run, ASKED_ELSEWHERE)
        except TemporaryFailure:
            return False


def require_own_deployments(office: Office, pool: str) -> None:
    """
    Refuse to deploy to a server whose deployments are another office's (Misuse, `other-office`).

    Deployments are known by their names: a second office would take all of them over, and the
    first one's nights would run in the second one's home without a word. They carry the tag of
    their office; where they carry none, `pool` tells: the work pool that they shall go to, empty
    where `billclose up` of this home serves them.
    """
    with KnownServer(office) as server:
        there = server.find_deployment(FIRST_DEPLOYMENT)
    if there is None:
        return
    known_pool = there.get("work_pool_name") or ""
    tags = there.get("tags", ())
    if is_own(office, tags) and (has_owner(tags) or known_pool == pool):
        return
    whose = f"the office of work pool {known_pool}" if known_pool else "another home's `up`"
    raise Misuse(
        f"The deployments at {known_address(office)} belong to {whose}; one Prefect server serves "
        "one office. Give this one a server of its own (prefect.api_url), or delete those first.",
        "other-office",
    )


class KnownServer:
    """
    The server that an office knows, spoken to without Prefect's own client, which loads long.

    Whatever it does not answer is a TemporaryFailure.
    """

    def __init__(self, office: Office) -> None:
        auth = known_auth(office.home, office.settings.prefect.auth_string.get_secret_value())
        self._client = httpx.Client(
            base_url=known_address(office), headers=authorization(auth), timeout=ANSWER_SECONDS
        )

    def __enter__(self) -> KnownServer:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _failure: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def resume(self, flow_run: str) -> bool:
        """Resume a suspended run; tell whether it goes on."""
        answer = self._ask(
            "POST", f"/flow_runs/{flow_run}/resume", {"run_input": {"decision": LOOK_AGAIN}}
        )
        return bool(answer.get("status") == "ACCEPT")

    def cancel_suspended(self, flow_run: str, message: str) -> bool:
        """End a run that is suspended; tell whether it was."""
        state = self._ask("GET", f"/flow_runs/{flow_run}").get("state") or {}
        if state.get("type") != SUSPENDED:
            return False
        cancelled = {"state": {"type": "CANCELLED", "message": message}, "force": True}
        self._ask("POST", f"/flow_runs/{flow_run}/set_state", cancelled)
        return True

    def find_deployment(self, name: str) -> dict[str, Any] | None:
        """Return a deployment as the server has it, None where there is none of that name."""
        body = {"deployments": {"name": {"any_": [name]}}, "limit": 1}
        found = self._ask("POST", "/deployments/filter", body)
        return dict(found[0]) if found else None

    def start(self, deployment: str, name: str, key: str, now: datetime) -> bool:
        """
        Start a run of a deployment; tell whether one was started.

        Not where one is open, since a second would have nothing to do. Not for some minutes after
        one that failed: what waits for a server that is down would be started by the minute. With
        the same `key` two machines that look make one run.
        """
        found = self._ask("GET", f"/deployments/name/{deployment}/{deployment}")
        if self._is_open(found["id"], now) or self._failed_since(found["id"], now - REST):
            return False
        body = {"name": name, "idempotency_key": key, "tags": [*found["tags"], TAG]}
        self._ask("POST", f"/deployments/{found['id']}/create_flow_run", body)
        return True

    def bury(self, tag: str) -> list[str]:
        """
        Mark runs of an office as crashed whose process ran here and is gone; return their names.

        A worker that is stopped leaves its runs Running, and their places in the concurrency limit
        taken. Of a process on another machine nothing is known: that is left to *run-lost*.
        """
        open_ones = {"tags": {"all_": [tag]}, "state": {"type": {"any_": OPEN[1:]}}}
        runs = self._ask("POST", "/flow_runs/filter", {"flow_runs": open_ones, "limit": MOST_RUNS})
        gone = [run for run in runs if is_gone(str(run.get("labels", {}).get(PROCESS_LABEL, "")))]
        for run in gone:
            crashed = {"state": {"type": "CRASHED", "message": GONE}, "force": True}
            self._ask("POST", f"/flow_runs/{run['id']}/set_state", crashed)
        return [str(run["name"]) for run in gone]

    def move_schedules(self, tag: str, zone: str) -> int:
        """Move an office's daily runs to another time zone; return how many were moved."""
        ours = {"deployments": {"tags": {"all_": [tag]}}}
        moved = 0
        for deployment in self._ask("POST", "/deployments/filter", ours):
            for planned in deployment["schedules"]:
                schedule = planned["schedule"]
                if "cron" not in schedule or schedule.get("timezone") == zone:
                    continue
                path = f"/deployments/{deployment['id']}/schedules/{planned['id']}"
                self._ask("PATCH", path, {"schedule": schedule | {"timezone": zone}})
                moved += 1
        return moved

    def tell(self, event: str, about: str, payload: dict[str, str], now: datetime) -> None:
        """Tell the server of an event, for automations of the office's own."""
        told = {
            "id": str(uuid4()),
            "occurred": now.isoformat(),
            "event": event,
            "resource": {"prefect.resource.id": about, "prefect.resource.name": about},
            "payload": payload,
        }
        self._ask("POST", "/events", [told])

    def _is_open(self, deployment: str, now: datetime) -> bool:
        """Tell whether a run is going on or about to; what is planned for later is neither."""
        soon = (now + timedelta(minutes=1)).isoformat()
        return self._has_runs(deployment, OPEN, {"expected_start_time": {"before_": soon}})

    def _failed_since(self, deployment: str, moment: datetime) -> bool:
        return self._has_runs(deployment, ENDED_BADLY, {"end_time": {"after_": moment.isoformat()}})

    def _has_runs(self, deployment: str, states: tuple[str, ...], more: dict[str, Any]) -> bool:
        chosen = {"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": states}}}
        return bool(
            self._ask("POST", "/flow_runs/filter", {"flow_runs": chosen | more, "limit": 1})
        )

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask; a server that says it is too busy is asked again, each time after a longer rest."""
        try:
            answer = self._client.request(method, path, json=body)
            for rest in RESTS:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
                time.sleep(rest)
                answer = self._client.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as failure:
            kind = say_cause(failure)
            raise TemporaryFailure(f"The Prefect server does not answer {path} ({kind}).") from None
