"""What we ask of a Prefect server, and the process where it is ours."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import httpx

from domain.failures import TemporaryFailure
from office.prefect_access import authorization

START_SECONDS = 180
RECORD_SECONDS = 30


class PrefectServer:
    """A Prefect server's address and, where it is ours, its process and how that is started."""

    def __init__(
        self,
        api_url: str,
        start: Callable[[], subprocess.Popen[bytes]] | None = None,
        *,
        auth: str = "",
    ) -> None:
        self.api_url = api_url
        self.auth = auth
        self._start = start
        self.process = start() if start else None

    @property
    def is_ours(self) -> bool:
        return self._start is not None

    def restart(self) -> None:
        """Start our own server once more, after it died."""
        if self._start is not None:
            self.process = self._start()

    def wait_until_ready(self) -> None:
        """Block until the server answers; raises TemporaryFailure where it does not."""
        for _ in range(START_SECONDS * 10):
            if self.process is not None and self.process.poll() is not None:
                break
            if self.answers():
                self._require_entry()
                return
            if self.process is None:
                break
            time.sleep(0.1)
        raise TemporaryFailure(
            f"The Prefect server at {self.api_url} does not answer; "
            "see prefect/server.log in the home, or the setting prefect.api_url."
        )

    def bury_dead_runs(self) -> None:
        """
        Mark runs as crashed that a killed command left running.

        Our own server lives no longer than the command, so whatever runs before ours has died;
        the books know how far it came, and the run that follows goes on there.
        """
        if self.process is None:
            return
        running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
        message = "The command was killed; run it again and it goes on where it was."
        crashed = {"state": {"type": "CRASHED", "message": message}, "force": True}
        answer = self._post("flow_runs/filter", running, 30)
        for run in answer.json() if answer.is_success else []:
            self._post(f"flow_runs/{run['id']}/set_state", crashed, 30)

    def wait_until_recorded(self, flow_run: str) -> None:
        """
        Block until the server has written down a flow's task runs, which it does a bit later.

        Their number stands still once the last batch is in; none of them is left running.
        """
        if self.process is None:
            return
        ours: dict[str, object] = {"flow_runs": {"id": {"any_": [flow_run]}}}
        running = {"task_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
        before = -1
        for _ in range(RECORD_SECONDS):
            now = self._count(ours)
            if now == before and now > 0 and self._count(ours | running) == 0:
                return
            before = now
            time.sleep(1.1)  # more than the recorder's interval

    def answers(self) -> bool:
        try:
            return self._client.get(f"{self.api_url}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    @cached_property
    def _client(self) -> httpx.Client:
        """One for all requests: to make one takes 30 ms, as it loads every certificate there is."""
        return httpx.Client()

    def _require_entry(self) -> None:
        """Raise TemporaryFailure where the server wants another password than the one we have."""
        try:
            answer = self._client.get(
                f"{self.api_url}/admin/version", headers=authorization(self.auth), timeout=30
            )
        except httpx.HTTPError:
            return  # busy: whoever needs it says so
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise TemporaryFailure(
                f"The Prefect server at {self.api_url} does not let us in; set "
                "BILLCLOSE_PREFECT__AUTH_STRING to its name:password."
            )

    def _post(self, path: str, body: dict[str, Any], seconds: float) -> httpx.Response:
        return self._client.post(
            f"{self.api_url}/{path}", json=body, headers=authorization(self.auth), timeout=seconds
        )

    def _count(self, query: dict[str, object]) -> int:
        try:
            answer = self._post("task_runs/count", query, 5)
        except httpx.HTTPError:
            return -1
        return int(answer.json()) if answer.is_success else -1
