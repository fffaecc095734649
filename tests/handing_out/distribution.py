"""Which tests go to which worker, and in which order, where several run them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Folders with long files come first: those that are handed out in the end are short, so that no
# worker waits long for another. What is not named comes after what is.
AT_A_SERVER = (
    *("scenarios", "machines", "golden", "corrections", "flows"),
    *("web/office/test_close.py", "web/office/test_correcting.py"),
    *("web/office/late/test_late_schedule.py", "web/office/administration/test_packs.py"),
    *("web/office/mailing/test_writing.py", "browser/portal/test_first_of_the_month.py"),
    "command_line",
)
ELSEWHERE = (
    *("browser", "splitter", "mail", "cash_receipting", "payments", "web", "data_checks"),
    *("office", "database", "billing_system", "contracts", "reporting", "outsorting"),
)
AT_ITS_OWN = 3  # of so many workers one begins at a server: what stands above is a third of all


class OneWorkerAtTheServer(LoadScopeScheduling):
    """
    Hands out tests file by file, to every third worker first those beside a Prefect server.

    A server of a worker's own, and the office that is closed beside it for all its tests, take as
    long as some hundred tests; what is made for a file is made by one worker and not by each. A
    worker that finds none of its kind left helps with the others.
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
        test = self.registered_collections[node][item_index]
        files, file = self.assigned_work[node], self._split_scope(test)
        files[file].pop(test, None)
        if not files[file]:
            del files[file]

    def _split_scope(self, nodeid: str) -> str:
        return file_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._turns:
            self._turns = [
                deque(sorted(self.workqueue, key=partial(_turn, at_a_server=at_a_server)))
                for at_a_server in (True, False)
            ]
        turns = self._turns[0 if self.nodes.index(node) % AT_ITS_OWN == 0 else 1]  # files
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


def file_of(test: str) -> str:
    """Return the file that a test stands in."""
    return test.partition("::")[0]


def _turn(file: str, *, at_a_server: bool) -> tuple[bool, int]:
    """Tell when it is a file's turn for a worker that begins at a server, or elsewhere."""
    path = file.removeprefix("tests/")
    folder = path if path in AT_A_SERVER else path.partition("/")[0]
    named = AT_A_SERVER if folder in AT_A_SERVER else ELSEWHERE
    place = named.index(folder) if folder in named else len(named)
    return (folder in AT_A_SERVER) != at_a_server, place
