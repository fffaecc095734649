"""A bill run: one close of one period."""

from __future__ import annotations

from enum import StrEnum

from domain.states import Transitions


class RunState(StrEnum):
    STAGED = "staged"  # imported; nothing of it shows
    REFUSED = "refused"  # a guard or a blocking check said no; a corrected export may follow
    WAITING = "waiting"  # ready, a person has to say yes
    APPROVED = "approved"  # a person said yes
    CLOSED = "closed"  # published: bills visible, balances moved (rule 2)
    FINISHED = "finished"  # autopay scheduled, bills out, report written


RUN = Transitions(
    "bill run",
    start=RunState.STAGED,
    moves={
        (state, event): after
        for state in (RunState.STAGED, RunState.REFUSED, RunState.WAITING, RunState.APPROVED)
        for event, after in (
            ("imported", RunState.STAGED),
            ("refused", RunState.REFUSED),
            ("asked", RunState.WAITING),
            ("approved", RunState.APPROVED),
        )
    }
    | {
        (RunState.APPROVED, "published"): RunState.CLOSED,
        (RunState.CLOSED, "finished"): RunState.FINISHED,
        (RunState.FINISHED, "finished"): RunState.FINISHED,
        # another export, or the same one with another yes
        (RunState.CLOSED, "undone"): RunState.REFUSED,
        (RunState.FINISHED, "undone"): RunState.REFUSED,
    },
)
