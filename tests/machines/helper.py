"""A machine that helps: `billclose work` in a process and a home of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import splitter.batches.run
from splitter.bulk_file.splitting import Splitting
from tests.flows.desk import at_server
from tests.forked import forks, load_before_forks

load_before_forks(__name__, closes=True)


@dataclass
class Helper:
    process: BaseProcess
    halfway: Connection  # says something in the middle of a batch
    gate: Connection

    def go_on(self) -> None:
        self.gate.send("go on")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def start_helper(
    home: Path, environment: Mapping[str, str], *, halts: bool = False, waits: bool = False
) -> Helper:
    """
    Start one that is ready to work.

    With `halts` it stands still in the middle of its first batch, with `waits` before it.
    """
    context = forks(closes=True)
    ours, theirs = context.Pipe(duplex=False)
    gate, key = context.Pipe(duplex=False)
    arguments = (home, dict(environment), theirs if halts else None, gate if waits else None)
    process = context.Process(target=_work, args=arguments)
    process.start()
    theirs.close()
    return Helper(process, ours, key)


def _work(
    home: Path, environment: dict[str, str], halfway: Connection | None, gate: Connection | None
) -> None:
    os.environ.update(environment)
    import command_line.commands.work
    from command_line.main import run

    command_line.commands.work.POLL_SECONDS = 0.05
    if halfway is not None:
        splitter.batches.run.Splitting = _halting(halfway)  # type: ignore[misc]
    if gate is not None:
        gate.recv()
    with at_server(environment["PREFECT_API_URL"]):
        run(["--home", str(home), "work"])


def _halting(halfway: Connection) -> type[Splitting]:
    class Halting(Splitting):
        """Says that some bills of a batch are in the store, and waits for what will come."""

        def file_orders(self, orders: list[Any], *arguments: Any, **options: Any) -> Any:
            super().file_orders(orders[: len(orders) // 2], *arguments, **options)
            halfway.send("some bills are in the store")
            multiprocessing.Event().wait()

    return Halting
