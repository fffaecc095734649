"""What makes a function a step: seen, logged, retried and remembered."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from prefect import State, Task, get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff

from data_checks.memory import give_back_memory
from database.runs import find_run, finished_step, record_step
from domain.failures import Misuse, PermanentFailure, Refused, TemporaryFailure
from domain.steps import Step
from office.equipment.office import current_office
from office.secrets.redaction import told_safely
from tasks.steps.artifacts import slug

EVERY_PERCENT = 10
_end: ContextVar[Callable[[], None] | None] = ContextVar("end", default=None)  # of its progress
EVERY_SECONDS = 1.0  # an update costs some 60 ms, and nobody follows ten of them in a second


def progress_of(step: Step, period: str) -> Callable[[int, int], None]:
    """
    Return what a step calls with done and total as it moves on.

    The screen is told each time, the Prefect UI every ten percent, once a second, and at the end.
    """
    artifact = create_progress_artifact(
        progress=0.0, key=slug(f"{step.value}-{period}"), description=f"{step.value} of {period}"
    )
    shown, shown_at = 0, time.monotonic()

    def move(done: int, total: int) -> None:
        nonlocal shown, shown_at
        current_office().reporter.move(step, done, total)
        percent = 100 * done // total if total else 100
        is_due = time.monotonic() - shown_at >= EVERY_SECONDS
        if (percent - shown >= EVERY_PERCENT and is_due) or (percent == 100 and shown < 100):
            _update(artifact, percent)
            shown, shown_at = percent, time.monotonic()

    def end() -> None:
        if shown < 100:
            _update(artifact, 100)

    _end.set(end)
    return move


def end_progress() -> None:
    """Tell that the step that was moving is through: what it left out needed no work."""
    end = _end.get()
    if end is not None:
        end()
        _end.set(None)


def _update(artifact: Any, percent: int) -> None:
    update_progress_artifact(artifact_id=artifact, progress=float(percent))


RETRY_SECONDS = 2


@dataclass(frozen=True)
class Done:
    """
    How a step ended: one sentence for a person, figures for programs.

    `is_red`: Prefect shows it as failed, though the next steps do not depend on it and go on.
    `would`: the sentence of a rehearsal, in which nobody was mailed and nothing printed.
    """

    sentence: str
    figures: dict[str, Any] = field(default_factory=dict)
    is_red: bool = False
    would: str = ""


Work = Callable[..., Done]
Observed = Callable[..., dict[str, Any]]  # calling it in a flow gives the figures


def step(name: Step, *, once: bool = False, retries: int = 3) -> Callable[[Work], Observed]:
    """
    Make a function of a run a step that Prefect shows, logs and retries.

    The counts stand in its final state, for whoever looks at the run. Nothing is cached by
    Prefect: the books know what is done. A step that is done `once` is passed over when the run
    is taken up again; every other one finds out for itself what is left to do. Only what surely
    was not done is tried again.
    """

    def decorate(work: Work) -> Observed:
        @functools.wraps(work)
        def observed(period: str, *arguments: Any, **options: Any) -> State[Any]:
            done = _earlier(period, name) if once else None
            if done is None:
                try:
                    done = _carry_out(work, name, period, *arguments, **options)
                except (Misuse, Refused, PermanentFailure) as failure:
                    return Failed(message=str(failure), data=failure)  # without the class's name
                finally:
                    current_office().database.forget_pages()
                    give_back_memory()
            ended = Failed if done.is_red else Completed
            return ended(message=done.sentence, data=done.figures)

        make_task: Callable[[Any], Any] = task(
            name=name.value,
            task_run_name=f"{name.value} {{period}}",
            retries=retries,
            retry_delay_seconds=exponential_backoff(backoff_factor=RETRY_SECONDS),
            retry_condition_fn=_is_temporary,
            cache_policy=NO_CACHE,
            persist_result=False,
        )
        observed_task = make_task(observed)

        @functools.wraps(work)
        def run_step(*arguments: Any, **options: Any) -> dict[str, Any]:
            state = observed_task(*arguments, return_state=True, **options)
            figures: dict[str, Any] | BaseException = state.result(raise_on_failure=False)
            if isinstance(figures, BaseException):
                raise figures
            return figures

        return run_step

    return decorate


def _earlier(period: str, name: Step) -> Done | None:
    summary = finished_step(current_office().database, period, name)
    if summary is None:
        return None
    sentence = f"{summary.get('sentence', '')} (done before)"
    current_office().reporter.end(name, sentence)
    return Done(sentence, summary.get("figures", {}))


def _carry_out(work: Work, name: Step, period: str, *arguments: Any, **options: Any) -> Done:
    office = current_office()
    office.reporter.begin(name)
    started = time.monotonic()
    _end.set(None)
    with told_safely():  # Prefect keeps what a step raises
        done = work(period, *arguments, **options)
    end_progress()
    if office.rehearses and done.would:
        done = replace(done, sentence=done.would)

    known = find_run(office.database, period)
    if known is not None:
        finished_at = office.now(known)
        started_at = finished_at - timedelta(seconds=time.monotonic() - started)
        summary = {"sentence": done.sentence, "figures": done.figures}
        record_step(office.database, period, name, name.position, started_at, finished_at, summary)
    get_run_logger().info("%s: %s", name, done.sentence)
    office.reporter.end(name, done.sentence)
    return done


def _is_temporary(_task: Task[..., Any], _run: Any, state: State[Any]) -> bool:
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, TemporaryFailure)
