"""A long step's progress, where people look: the screen and the Prefect UI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from domain.steps import Step
from office.wiring import office
from tasks.artifacts import slug

EVERY_PERCENT = 10  # an update costs some 60 ms


def progress_of(step: Step, run: str) -> Callable[[int, int], None]:
    """
    Return what a step calls with done and total as it moves on.

    The screen is told each time, the Prefect UI every ten percent.
    """
    artifact = create_progress_artifact(
        progress=0.0, key=slug(f"{step.value}-{run}"), description=f"{step.value} of {run}"
    )
    shown = 0

    def move(done: int, total: int) -> None:
        nonlocal shown
        office().reporter.move(step, done, total)
        percent = 100 * done // total if total else 100
        if percent - shown >= EVERY_PERCENT or (percent == 100 and shown < 100):
            shown = percent
            _update(artifact, percent)

    return move


def _update(artifact: Any, percent: int) -> None:
    update_progress_artifact(artifact_id=artifact, progress=float(percent))
