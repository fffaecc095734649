"""What a run in Prefect shows of a failure is its sentence."""

from __future__ import annotations

import asyncio
import os

import pytest

from domain.failures import Misuse, PermanentFailure, Refused, TemporaryFailure
from tasks.steps.sentences import in_sentences
from tests.flows.desk import at_server
from tests.flows.town import write_town


@pytest.mark.parametrize(
    "failure",
    [Misuse("x is wrong"), Refused("too-early", "x is wrong"), PermanentFailure("x is wrong"),
     TemporaryFailure("x is wrong")],
    ids=lambda failure: type(failure).__name__,
)  # fmt: skip
def test_our_failures_are_told_by_their_sentences(failure):
    @in_sentences
    def work() -> None:
        raise failure

    state = work()

    assert (True, "x is wrong", failure) == (state.is_failed(), state.message, state.data)


def test_other_failures_fly_on():
    @in_sentences
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_no_class_is_named_by_the_states_of_a_refused_close(desk, tmp_path):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort

    newest, of_tasks = FlowRunSort.START_TIME_DESC, TaskRunSort.EXPECTED_START_TIME_DESC

    async def messages() -> list[str]:
        async with get_client() as client:  # which answers with 200 of what all tests ran
            runs = [
                *await client.read_flow_runs(sort=newest),
                *await client.read_task_runs(sort=of_tasks),
            ]
            return [run.state.message or "" for run in runs if run.state and run.state.is_failed()]

    answer = desk.close(write_town(tmp_path / "larkspur", bills=b"no PDF"), "--yes")

    assert 3 == answer.status
    os.environ |= {name: value for name, value in desk.settings.items() if "API_AUTH" in name}
    with at_server(desk.settings["PREFECT_API_URL"]):
        said = asyncio.run(messages())
    told = [message for message in said if "is no PDF" in message or "PDF" in message]
    assert told
    assert [] == [message for message in told if "Refused" in message or "exception" in message]
