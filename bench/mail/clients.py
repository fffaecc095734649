"""The jobs from outside: processes that are started, told to send and asked what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.splitter.bulk_files import cache_folder

DJANGO = "Django"
WARM_UP = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Measured:
    """What one sending took."""

    messages: int
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float | None = None

    @property
    def rate(self) -> float:
        return self.messages / self.wall_seconds

    @property
    def cpu_us(self) -> float:
        return 1e6 * self.cpu_seconds / self.messages


@dataclass
class Client:
    """A job's process; between two sendings it waits and takes no CPU."""

    name: str
    process: subprocess.Popen[str]
    size: int  # octets of a message
    runs: list[Measured] = field(default_factory=list)

    def send(self, seconds: float) -> Measured:
        assert self.process.stdin is not None
        print(seconds, file=self.process.stdin, flush=True)
        return Measured(*json.loads(_line_of(self.process, self.name)))


def django_folder() -> Path:
    """Return where Django is installed apart: `pip install --target` there; maybe it is not."""
    return cache_folder() / "django"


def installed_django() -> bool:
    """Install Django into its own folder once; False where no package index is at hand."""
    if not (django_folder() / "django").is_dir():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            str(django_folder()),
        ]
        subprocess.run([*command, "django>=5.2,<5.3"], check=False, capture_output=True)
    return (django_folder() / "django").is_dir()


@contextmanager
def clients(names: list[str], kind: str, port: int, folder: Path) -> Iterator[list[Client]]:
    """Run the jobs of those names side by side, warmed up."""
    started = [_start(name, kind, port, folder) for name in names]
    try:
        ready = [
            Client(name, process, json.loads(_line_of(process, name)))
            for name, process in zip(names, started, strict=True)
        ]
        for client in ready:
            client.send(WARM_UP)
        yield ready
    finally:
        for process in started:
            process.kill()
            process.wait()


def peak_of(name: str, kind: str, port: int, folder: Path, count: int) -> float:
    """Send so many mails in one go and return the peak of memory in megabytes."""
    process = _start(name, kind, port, folder, count)
    sent, peak = json.loads(_line_of(process, name))
    process.wait()
    if sent != count:
        raise RuntimeError(f"{sent} of {count} mails were sent")
    return float(peak)


def _start(
    name: str, kind: str, port: int, folder: Path, count: int | None = None
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.mail.jobs", name, kind, str(port), str(folder)]
    environment = dict(os.environ)
    if name == DJANGO:
        environment["PYTHONPATH"] = str(django_folder())
    return subprocess.Popen(
        [*command, *([] if count is None else [str(count)])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def _line_of(process: subprocess.Popen[str], name: str) -> str:
    assert process.stdout is not None
    if not (line := process.stdout.readline()):
        raise RuntimeError(f"{name} failed")
    return line
