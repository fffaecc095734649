"""Printing, on demand, the bills that came back since the last part."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.bouncing import write_next_parts
from tasks.steps.sentences import in_sentences


@flow(name="print-bills", flow_run_name="print bills", persist_result=False)
@in_sentences
def print_bills(period: str | None = None) -> State[Any]:
    """Write the next part of a period's print batches, or of each that has bills waiting."""
    printed = write_next_parts(period, asked=True)
    parts = [part for part in printed["parts"] if part["bills"]]
    written = ", ".join(f"{part['period']} part {part['number']}" for part in parts)
    return Completed(message=written or "nothing waits for print", data=printed)
