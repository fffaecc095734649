"""The mails that came back, and the bills that therefore go on paper."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.bouncing import read_bounces, write_next_parts
from tasks.steps.sentences import in_sentences


@flow(name="process-bounces", flow_run_name="process bounces", persist_result=False)
@in_sentences
def process_bounces() -> State[Any]:
    """Read what came back, then print what no mailbox took: one part a period and day."""
    bounces = read_bounces()
    printed = write_next_parts(asked=False)
    return Completed(message=bounces["sentence"], data=bounces | printed)
