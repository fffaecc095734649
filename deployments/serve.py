"""Serving the flows: a Prefect server's forms and schedules start them in this office."""

from __future__ import annotations

from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy

from deployments.served import FLOWS

ONE_AT_A_TIME = ConcurrencyLimitConfig(
    limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
)


def deployments() -> list[Any]:
    """Return one deployment a flow; two runs of one flow never overlap."""
    return [
        flow.to_deployment(flow.name, concurrency_limit=ONE_AT_A_TIME, tags=["office"])
        for flow in FLOWS
    ]


def serve_office() -> None:
    """Serve until interrupted."""
    serve(*deployments(), pause_on_shutdown=False)
