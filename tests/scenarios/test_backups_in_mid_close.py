"""A backup made in the midst of a close: restored elsewhere the close goes on to the same end."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.flows.desk import Desk
from tests.office.helping import wait_until
from tests.scenarios.interrupted import Moment, before_a_release, result, start

pytestmark = pytest.mark.slow


def freeze() -> None:
    """Stop without ending: what runs holds what it holds, as while a backup is made."""
    os.kill(os.getpid(), signal.SIGSTOP)


def is_frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize(
    "moment",
    [
        before_a_release(Moment("end", "import billing export")),
        before_a_release(Moment("half", "split bulk bills")),
        before_a_release(Moment("begin", "publish bills")),
        before_a_release(Moment("begin", "schedule autopay")),
        before_a_release(Moment("rename", "mail", 17)),
        before_a_release(Moment("rename", "print")),
    ],
    ids=str,
)
def test_a_backup_of_mid_close_is_closed_in_a_new_home(desk, towns, undisturbed, tmp_path, moment):
    closing = start(desk, [towns, "--yes"], moment, freeze)
    wait_until(partial(is_frozen, closing.process.pid))
    saved = desk("backup", "--to", tmp_path / "backup.tar.gz")
    os.kill(closing.process.pid, signal.SIGKILL)
    closing.wait()
    new = Desk(tmp_path / "new", desk.settings)
    restored = new("restore", "--from", tmp_path / "backup.tar.gz")
    sound = [new("audit", "verify").status]

    answer = new.close(towns, "--yes")

    assert (0, 0) == (saved.status, restored.status), saved.err + restored.err
    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert [0, 0] == [*sound, new("audit", "verify").status]
    expected, found = undisturbed, result(new)
    assert [] == [name for name in expected if expected[name] != found[name]]
