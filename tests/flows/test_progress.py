"""How often the Prefect UI is told how far a step is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from domain.steps import Step
from tasks.steps import step


@pytest.fixture
def told(monkeypatch):
    """The percentages that the UI was told, and the clock of whoever tells them."""
    told, clock = [], SimpleNamespace(now=0.0)
    reporter = SimpleNamespace(move=lambda *_: None)
    for name, double in {
        "time": SimpleNamespace(monotonic=lambda: clock.now),
        "current_office": lambda: SimpleNamespace(reporter=reporter),
        "create_progress_artifact": lambda **_: "artifact",
        "_update": lambda _artifact, percent: told.append(percent),
    }.items():
        monkeypatch.setattr(step, name, double)
    return told, clock


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(0.0, [100], id="in no time: the end alone"),
        pytest.param(0.05, [20, 40, 60, 80, 100], id="once a second"),
        pytest.param(2.0, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100], id="every ten percent"),
    ],
)
def test_the_ui_is_told_at_most_once_a_second_and_at_the_end(told, seconds, expected):
    percents, clock = told
    move = step.progress_of(Step.SPLIT, "2026-10")

    for done in range(1, 101):
        clock.now = round(done * seconds, 9)
        move(done, 100)

    assert expected == percents


def test_a_step_that_needs_no_work_for_some_of_it_ends_whole(told):
    percents, _clock = told
    move = step.progress_of(Step.SPLIT, "2026-10")

    move(58, 100)  # separators are read and not copied
    step.end_progress()
    step.end_progress()

    assert [100] == percents
