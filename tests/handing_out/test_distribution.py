"""How tests are handed out: whole files, each once, and what a worker left behind that died."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.handing_out.distribution import AT_A_SERVER, OneWorkerAtTheServer, file_of

COLLECTED = [
    f"tests/{file}.py::test_{number}"
    for file in ("rules/test_a", "flows/test_b", "flows/test_c", "splitter/test_d", "web/test_e")
    for number in range(4)
]


class Worker:
    """A worker that keeps what it is told to run."""

    def __init__(self):
        self.told, self.gateway, self.shutting_down = [], SimpleNamespace(id="gw"), False

    def send_runtest_some(self, numbers):
        self.told += [COLLECTED[number] for number in numbers]

    def shutdown(self):
        self.shutting_down = True


@pytest.fixture
def workers():
    return Worker(), Worker()


@pytest.fixture
def scheduler(workers):
    config = SimpleNamespace(
        getvalue=lambda _name: ["popen", "popen"], option=SimpleNamespace(loadscopereorder=True)
    )
    made = OneWorkerAtTheServer(config)
    for worker in workers:
        made.add_node(worker)
        made.add_node_collection(worker, COLLECTED)
    made.schedule()
    return made


def files_of(worker):
    return list(dict.fromkeys(file_of(test) for test in worker.told))


def go_on(scheduler, workers):
    """Let each run one test after the other, as long as there is any."""
    ran = dict.fromkeys(workers, 0)
    while any(ran[worker] < len(worker.told) for worker in workers):
        for worker in workers:
            if ran[worker] < len(worker.told):
                scheduler.mark_test_complete(worker, COLLECTED.index(worker.told[ran[worker]]))
                ran[worker] += 1


def test_each_test_runs_once_and_a_file_in_one_worker(scheduler, workers):
    at_the_server, elsewhere = workers

    go_on(scheduler, workers)

    assert sorted(COLLECTED) == sorted(at_the_server.told + elsewhere.told)
    assert set() == {*files_of(at_the_server)} & {*files_of(elsewhere)}
    assert ["tests/flows/test_b.py", "tests/flows/test_c.py"] == files_of(at_the_server)[:2]
    assert ["tests/splitter/test_d.py", "tests/web/test_e.py"] == files_of(elsewhere)[:2]
    assert scheduler.tests_finished and not scheduler.has_pending


def test_what_a_dead_worker_had_still_to_run_is_run_by_the_other(scheduler, workers):
    dead, other = workers
    for test in dead.told[:2]:
        scheduler.mark_test_complete(dead, COLLECTED.index(test))
    had, crashed = dead.told, dead.told[2]

    assert crashed == scheduler.remove_node(dead)

    go_on(scheduler, [other])
    assert set(had[2:]) <= set(other.told)
    assert sorted(set(COLLECTED) - set(had[:2])) == sorted(other.told)


def test_whatever_asks_for_the_server_is_handed_out_beside_it():
    tests = Path(__file__).parents[1]
    asking = [
        str(path.relative_to(tests)).removesuffix("/conftest.py")
        for path in tests.rglob("*.py")
        if re.search(r"from tests\.flows\.fixtures import .*\bserver\b", path.read_text("utf-8"))
    ]

    assert [] == [file for file in asking if file.partition("/")[0] not in AT_A_SERVER
                  and file not in AT_A_SERVER]  # fmt: skip
    assert "flows" in asking
