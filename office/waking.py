"""Waking a run that waits in a Prefect server, after its answer was given elsewhere."""

from __future__ import annotations

import os

import httpx

from office.prefect_access import announced, authorization, known_auth
from office.wiring import Office

SECONDS = 5


def wake(here: Office, flow_run: str | None) -> bool:
    """
    Let a suspended run look again; tell whether a server took that up.

    Nothing depends on it: the decision is in the books, and whoever runs the close again goes on.
    """
    chosen = here.settings.prefect
    address = chosen.api_url or os.environ.get("PREFECT_API_URL", "") or announced(here.home)
    if not flow_run or not address:
        return False
    auth = known_auth(here.home, chosen.auth_string.get_secret_value())
    try:
        answer = httpx.post(
            f"{address}/flow_runs/{flow_run}/resume",
            json={"run_input": {}},
            headers=authorization(auth),
            timeout=SECONDS,
        )
    except httpx.HTTPError:
        return False
    return answer.is_success and answer.json().get("status") == "ACCEPT"
