"""An office that is up: `billclose up` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from office.prefect_server.server import _free_port
from tests.flows.desk import Desk

START = "from command_line.main import main; main()"
DOWN_SECONDS = 60


@dataclass(frozen=True)
class Up:
    """The process that leads the group, where its UI answers, what opens it, and what it said."""

    process: subprocess.Popen[bytes]
    url: str
    words: str
    said: Path


@contextmanager
def office_up(desk: Desk, folder: Path, **settings: str) -> Iterator[Up]:
    """Start the office as its clerk does, `settings` in the environment; in the end stop it."""
    port, said = _free_port(), folder / "said"
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START, "--home", desk.home, "up", "--port", str(port)],
            stdout=out,
            stderr=out,
            cwd=folder,
            start_new_session=True,
            env=os.environ | settings,
        )
    try:
        secret = (desk.home / "prefect.secret").read_text().strip()
        yield Up(process, f"http://127.0.0.1:{port}", secret, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
