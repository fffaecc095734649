"""Which tests go to which worker, and in which order, where several run them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Folders with long tests come first: those that are handed out in the end are short, so that no
# worker waits long for another. What is not named comes after what is.
AT_A_SERVER = (
    *("scenarios", "browser", "machines", "golden", "corrections", "flows"),
    *("web/office/test_close.py", "command_line"),
)
ELSEWHERE = ("splitter", "mail", "cash_receipting", "payments")


class OneWorkerAtTheServer(LoadScopeScheduling):
    """
    Hands out tests one by one, to every second worker first those beside a Prefect server.

    A server of a worker's own, and the office that is closed beside it for all its tests, take as
    long as some hundred tests. A worker that finds none of its kind left helps with the others.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._turns: list[deque[str]] = []

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = _Numbered(collection)

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """Forget a test that is over, or all of them are counted anew after each."""
        super().mark_test_complete(node, item_index, duration)
        self.assigned_work[node].pop(self.registered_collections[node][item_index], None)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._turns:
            self._turns = [
                deque(sorted(self.workqueue, key=partial(_turn, at_a_server=at_a_server)))
                for at_a_server in (True, False)
            ]
        turns = self._turns[self.nodes.index(node) % 2]
        while turns and turns[0] not in self.workqueue:
            turns.popleft()
        if turns:  # what a worker left behind that has crashed is in the queue again, and first
            self.workqueue.move_to_end(turns[0], last=False)
        super()._assign_work_unit(node)


class _Numbered(list[str]):
    """The tests of a worker, each of which is handed out by its number, found at once."""

    def __init__(self, tests: Sequence[str]) -> None:
        super().__init__(tests)
        self._numbers = {test: number for number, test in enumerate(tests)}

    def index(self, test: str, *_within: Any) -> int:
        return self._numbers[test]


def _turn(test: str, *, at_a_server: bool) -> tuple[bool, int]:
    """Tell when it is a test's turn for a worker that begins at a server, or elsewhere."""
    path = test.removeprefix("tests/").partition("::")[0]
    folder = path if path in AT_A_SERVER else path.partition("/")[0]
    named = AT_A_SERVER if folder in AT_A_SERVER else ELSEWHERE
    place = named.index(folder) if folder in named else len(named)
    return (folder in AT_A_SERVER) != at_a_server, place
