"""What a run is called where people look for it."""

from __future__ import annotations

from prefect.runtime import flow_run

from office.wiring import office


def name_of_close() -> str:
    """Call a close `close 2026-10`, and a dry run what it is."""
    period = flow_run.parameters["period"]
    return f"rehearse {period}" if office().rehearses else f"close {period}"
