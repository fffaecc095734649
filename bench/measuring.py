"""Jobs that are measured each in a process of its own, which tells its figures as JSON."""

from __future__ import annotations

import json
import math
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figures:
    """What a job took, without the preparing."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def how_many_times(figure: float, other: float) -> float:
    """Return how many times the other a measured figure is; not a number if the other is none.

    A short job may take less CPU than the clock's tick, which tells 0.
    """
    return figure / other if other else math.nan


def measured(work: Callable[[], object]) -> Figures:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figures(time.perf_counter() - wall, time.process_time() - cpu, peak)


def peak_megabytes() -> float:
    """Return this process's own peak; what getrusage tells may be its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def cpu_seconds() -> float:
    """Return what this process has taken, and those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(
    module: str, job: str, size: int, folder: Path, checkout: Path | None = None
) -> Figures:
    """
    Run a job in a process of its own, which prepares its books before it looks at the clock.

    `checkout` is another checkout of the project, whose code is run in place of this one's.
    """
    told = subprocess.run(
        [sys.executable, "-m", module, job, str(size), folder],
        stdout=subprocess.PIPE,
        check=True,
        cwd=checkout,
    )
    return Figures(**json.loads(told.stdout))


def tell(jobs: Mapping[str, Callable[[Path, int], Figures]]) -> None:
    """Do what `measure` asks for; whoever asked may be gone by now."""
    job, size, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with suppress(BrokenPipeError):
        print(json.dumps(asdict(jobs[job](folder, size))))
