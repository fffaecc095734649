"""One close, or another command, as a process of its own: what it says and what it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from bench.close.city import AS_OF
from bench.close.memory import Held, Watcher, by_step

START = "from command_line.main import main; main()"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed and took, with all processes it waited for."""

    printed: str
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float  # of the largest process
    first_line_after: float  # seconds until the first line on standard error
    held: Mapping[str, Held]  # by step


def init(home: Path, environment: dict[str, str]) -> None:
    home.mkdir(parents=True)
    run(home, ["init", "--rehearsal"], environment)


def close(home: Path, bundle: Path, environment: dict[str, str]) -> tuple[Ended, dict[str, Any]]:
    """Close the export's period; return the figures that the command prints."""
    arguments = ["close", str(bundle), "--yes", "--as-of", AS_OF, "--json"]
    ended = run(home, arguments, environment, statuses=(0, 4))
    return ended, json.loads(ended.printed)


def run(
    home: Path,
    arguments: list[str],
    environment: dict[str, str],
    statuses: tuple[int, ...] = (0,),
) -> Ended:
    """Run the command in a home; raises RuntimeError where it ends with another status."""
    heard: list[tuple[float, bytes]] = []
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", START, "--home", str(home), *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = process.stderr
    watcher = Watcher(process.pid)
    listener = Thread(target=lambda: heard.extend((time.monotonic(), line) for line in errors))
    listener.start()
    printed = process.stdout.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    watcher.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    listener.join()
    if process.returncode not in statuses:
        told = b"".join(line for _, line in heard).decode(errors="replace")
        raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {told[-2000:]}")
    first = heard[0][0] - began if heard else wall
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Ended(printed, wall, cpu, peak, first, by_step(watcher.held, heard))
