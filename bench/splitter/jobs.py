"""One measured job in a process of its own: its CPU time, its memory and what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import how_many_times
from bench.splitter.made_up_bills import ACCOUNT, AMOUNT_DUE, DUE_DATE
from bench.splitter.peers import PEERS

OURS = {  # name: processes, read back
    "billclose": (1, False),
    "billclose, 2 processes": (2, False),
    "billclose, read back": (1, True),
    "billclose, read back, 2 processes": (2, True),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job took, its children included."""

    bills: int
    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float
    bytes_written: int
    plain_write_seconds: float

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.bills

    @property
    def bytes_a_bill(self) -> int:
        return self.bytes_written // self.bills

    @property
    def times_plain_write(self) -> float:
        return how_many_times(self.cpu_seconds, self.plain_write_seconds)


def measure(job: str, file: Path, folder: Path) -> Measured:
    """
    Run a job; then write the same bytes again plainly, which is the physical limit.

    What was written stays in the folder: where many files were just deleted some file systems
    take much longer to make new ones, and that would be charged to the next job.
    """
    folder.mkdir()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.splitter.jobs", job, file, folder], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{job} failed on {file.name}")
    written, seconds = _written_plainly(folder)
    return Measured(
        bills=json.loads(told)["bills"],
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=wall,
        peak_megabytes=used.ru_maxrss / 1024,
        bytes_written=written,
        plain_write_seconds=seconds,
    )


def _written_plainly(folder: Path) -> tuple[int, float]:
    """Write again what was written; one file at a time, so that this process stays small."""
    again = folder.with_name(f"{folder.name}-again")
    again.mkdir()
    written, seconds = 0, 0.0
    for path in sorted(folder.rglob("*.pdf")):
        content = path.read_bytes()
        began = time.process_time()
        (again / path.name).write_bytes(content)
        seconds += time.process_time() - began
        written += len(content)
    return written, seconds


def ours(file: Path, folder: Path, processes: int, *, is_read_back: bool) -> int:
    from domain.periods import BulkFile
    from splitter.bulk_file.splitting import Splitting
    from splitter.copying.verifying import VerificationPolicy
    from splitter.store.bill_store import BillStore

    bulk = BulkFile("utility-bill", file.name, ACCOUNT, AMOUNT_DUE, DUE_DATE)
    with Splitting(file, bulk, processes=processes) as splitting:
        assignment = splitting.plan(by_engines=is_read_back)
        outcome = splitting.file_bills(
            assignment,
            BillStore(folder),
            prefix="",
            verification_policy=VerificationPolicy()
            if is_read_back
            else VerificationPolicy(sys.maxsize, sys.maxsize),
        )
    assert not assignment.unassigned
    assert not outcome.problems
    return len(outcome.bills)


def main() -> None:
    job, file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if job in OURS:
        processes, is_read_back = OURS[job]
        bills = ours(file, folder, processes, is_read_back=is_read_back)
    else:
        bills = PEERS[job](file, folder)
    print(json.dumps({"bills": bills}))


if __name__ == "__main__":
    main()
