"""A run of a deployment that waits for a person, as a worker and that person see it."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from prefect import Flow
from prefect.client.schemas.filters import ArtifactFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow

from tests.flows.desk import Desk


@dataclass
class Waiting:
    """One run of the deployment, as a worker and a person at the UI see it."""

    flow: Flow[..., Any]
    desk: Desk
    client: Any
    run: FlowRun

    def go_on(self) -> FlowRun:
        """Run it as far as it comes, as a worker would in a process of its own."""
        with contextlib.suppress(Pause):
            run_flow(
                self.flow, flow_run=self.run, parameters=self.run.parameters, return_type="state"
            )
        self.run = self.client.read_flow_run(self.run.id)
        return self.run

    def answer(self, **filled: object) -> SetStateStatus:
        """Press Resume and hand in the form."""
        status = self.client.resume_flow_run(self.run.id, run_input=filled).status
        self.run = self.client.read_flow_run(self.run.id)
        return status

    def cards(self) -> Counter[str]:
        """Count the artifacts of the run by key."""
        chosen = {"flow_run_id": {"any_": [self.run.id]}}
        shown = ArtifactFilter.model_validate(chosen)
        return Counter(one.key for one in self.client.read_artifacts(artifact_filter=shown))

    def form(self, part: str) -> Any:
        keyset = self.run.state.state_details.run_input_keyset
        answer = self.client._client.get(f"/flow_runs/{self.run.id}/input/{keyset[part]}")
        return answer.json()
