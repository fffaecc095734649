"""One whole close in a process of its own: as the flow with a server, or as plain calls."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measuring import cpu_seconds

FLOW, PLAIN = "flow", "plain calls"
PERIOD = "2026-10"
AS_OF = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 - local time of the utility


@dataclass(frozen=True, slots=True)
class Figures:
    """What a close took once everything was loaded; the server's own figures apart."""

    wall_seconds: float
    cpu_seconds: float  # of the closing process and the children it has waited for
    server_cpu_seconds: float  # while the close went on, and until all of it was recorded
    start_cpu_seconds: float  # of the server until it answered
    task_runs: int


def main() -> None:
    job, home, bundle = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with redirect_stdout(sys.stderr):
        figures = {FLOW: flow, PLAIN: plain}[job](home, bundle)
    print(json.dumps(asdict(figures)))


def flow(home: Path, bundle: Path) -> Figures:
    """Close as `billclose close` does, beside a Prefect server of our own."""
    from office.prefect_server.server import prefect_server

    with prefect_server(home / "prefect") as server:
        close_period = _loaded()
        server.wait_until_ready()
        process = server.process
        assert process is not None
        started = _cpu_of(process)
        state, wall, cpu = _measured(home, lambda: _run(close_period, bundle))
        flow_run = str(state.state_details.flow_run_id)
        server.wait_until_recorded(flow_run)
        runs = server._count({"flow_runs": {"id": {"any_": [flow_run]}}})
        served = _cpu_of(process) - started
    return Figures(wall, cpu, served, started, runs)


def _run(close_period: Any, bundle: Path) -> Any:
    state = close_period(PERIOD, str(bundle), {}, return_state=True)
    assert state.is_completed(), state
    return state


def plain(home: Path, bundle: Path) -> Figures:
    """Call the same steps, in the same order, without what Prefect does around each."""
    _without_prefect()
    close_period = _loaded()
    _, wall, cpu = _measured(home, lambda: close_period.fn(PERIOD, str(bundle), {}))
    return Figures(wall, cpu, 0.0, 0.0, 0)


def _loaded() -> Any:
    from data_checks.checking import warm_up
    from flows.close_period import close_period

    warm_up()
    return close_period


def _without_prefect() -> None:
    """Let a task be its function and an artifact nothing, before the steps are imported."""
    import prefect
    import prefect.artifacts

    def task(*functions: Callable[..., Any], **_options: Any) -> Any:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, return_state: bool = False, **options: Any) -> Any:
                return function(*arguments, **options)

            return call

        return decorate(*functions) if functions else decorate

    prefect.task = task  # type: ignore[assignment]
    prefect.get_run_logger = lambda: logging.getLogger("bench")  # type: ignore[assignment]
    for name in ("create_progress_artifact", "update_progress_artifact"):
        setattr(prefect.artifacts, name, _nothing)
    for name in ("create_table_artifact", "create_markdown_artifact", "create_link_artifact"):
        setattr(prefect.artifacts, name, _nothing)


def _nothing(*_arguments: Any, **_options: Any) -> None:
    return None


def _measured(home: Path, work: Callable[[], Any]) -> tuple[Any, float, float]:
    from office.clock import Clock
    from office.equipment.office import Office, at_work
    from office.settings.settings import open_settings

    clock = Clock(lambda: datetime.now(UTC), AS_OF)  # noqa: TID251
    office = Office(home, open_settings(home), clock, "bench", approves=lambda _sheet: True)
    with at_work(office):
        before, wall = cpu_seconds(), time.perf_counter()
        done = work()
        return done, time.perf_counter() - wall, cpu_seconds() - before


def _cpu_of(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
