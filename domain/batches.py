"""A batch of a run's bills: the piece of splitting that one machine does at a time."""

from __future__ import annotations

from enum import StrEnum

from domain.states import Transitions


class BatchState(StrEnum):
    WAITING = "waiting"  # nobody works on it
    TAKEN = "taken"  # a process holds it until its lease runs out
    DONE = "done"  # its bills are in the store, and what became of them is written down
    FAILED = "failed"  # it took down everybody who took it: a person must look


BATCH = Transitions(
    "batch",
    start=BatchState.WAITING,
    moves={
        (BatchState.WAITING, "claimed"): BatchState.TAKEN,
        (BatchState.TAKEN, "claimed"): BatchState.TAKEN,  # from somebody who is gone
        (BatchState.TAKEN, "put back"): BatchState.WAITING,
        (BatchState.TAKEN, "done"): BatchState.DONE,
        (BatchState.TAKEN, "given up"): BatchState.FAILED,
        (BatchState.WAITING, "given up"): BatchState.FAILED,
        (BatchState.FAILED, "tried again"): BatchState.WAITING,
    },
)
