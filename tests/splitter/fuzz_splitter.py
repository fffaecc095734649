"""Fuzzing: harmed bulk files must be refused or split right; run it by hand, not in the suite.

python -m tests.splitter.fuzz_seeds FOLDER
python -m tests.splitter.fuzz_splitter FOLDER --minutes 15
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from splitter.workers.parent import MEMORY_BYTES
from tests.splitter.fuzz_harms import harmed
from tests.splitter.fuzz_oracle import Found, known_accounts, tried

MOST_SECONDS = 60  # of CPU, for a small file; on a busy machine the clock says little
WAITED = 20 * MOST_SECONDS
MOST_BYTES = 2 * MEMORY_BYTES  # with what looks at the outcome; the splitter's children have less
WHOLE_EVERY = 5  # files: the others are split in one process, which is ten times quicker


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--minutes", type=float, default=15)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--found", type=Path, default=Path(tempfile.gettempdir(), "fuzz-found"))
    told = arguments.parse_args()
    samples = sorted(told.folder.glob("*.pdf"))
    told.found.mkdir(exist_ok=True)
    accounts = {sample: known_accounts(sample) for sample in samples}
    print(len(samples), "samples", {path.name: len(known) for path, known in accounts.items()})
    fuzz(samples, accounts, told.seed, told.minutes, told.found)


def fuzz(
    samples: list[Path], accounts: dict[Path, list[str]], seed: int, minutes: float, found: Path
) -> None:
    until, shown, number = time.monotonic() + 60 * minutes, time.monotonic(), seed
    counts: Counter[str] = Counter()
    while time.monotonic() < until:
        number += 1
        sample = samples[number % len(samples)]
        result = attempt(sample, samples, accounts[sample], number, found)
        counts[result] += 1
        if result.startswith("FOUND") and counts[result] <= 5:
            print(number, sample.name, result, flush=True)
        if time.monotonic() - shown > 60:
            shown = time.monotonic()
            print(number - seed, "files", dict(counts.most_common()), flush=True)
    print(number - seed, "files", dict(counts.most_common()), "the last was", number)


def attempt(
    sample: Path, samples: list[Path], accounts: list[str], number: int, found: Path
) -> str:
    """Harm a sample in a way that depends on the number, split it, and say what came of it."""
    chance = random.Random(number)
    other = chance.choice(samples).read_bytes()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "bills.pdf"
        if not harm_in_a_child(path, sample.read_bytes(), other, chance):
            return "no library can harm it so"
        result = in_a_child(path, sample, accounts, is_whole=number % WHOLE_EVERY == 0)
        if result.startswith("FOUND"):
            (found / f"{number}-{sample.name}").write_bytes(path.read_bytes())
            (found / f"{number}.txt").write_text(result)
    return result.partition("\n")[0]


def harm_in_a_child(path: Path, pdf: bytes, other: bytes, chance: random.Random) -> bool:
    """Harm a file in a process of its own: what harms it may hang or fill memory by what it did."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        limit_seconds()
        try:
            path.write_bytes(harmed(pdf, other, chance))
        except MemoryError:
            os._exit(1)
        os._exit(0)
    status, _ = waited_for(child, time.monotonic() + WAITED)
    return status == 0


def in_a_child(path: Path, sample: Path, accounts: list[str], *, is_whole: bool) -> str:
    """Try a file in a process of its own; that it hangs or fills memory is found, too."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reading)
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 2)
        os.write(writing, json.dumps(answered(path, sample, accounts, is_whole)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        status, usage = waited_for(child, began + WAITED)
        if status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
            return "FOUND it hangs"
        answer = pipe.read()
    if usage.ru_maxrss > MOST_BYTES // 1024:
        return f"FOUND it takes much memory\n{usage.ru_maxrss // 1024} MB"
    if not answer:  # its own limit, or pdfium: the real one has a child for that
        signalled = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else status
        return f"FOUND it ended by {signalled}" if is_whole else f"ended by {signalled}"
    result: str = json.loads(answer)
    return result


def limit_seconds() -> None:
    """Let a process that reckons on and on be ended."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 5))


def waited_for(child: int, until: float) -> tuple[int | None, resource.struct_rusage]:
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            _, _, usage = os.wait4(child, 0)
            return None, usage
        time.sleep(0.002)


def answered(path: Path, sample: Path, accounts: list[str], is_whole: bool) -> str:
    if not is_whole:  # else the splitter's own children have limits, which these would forbid
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        limit_seconds()
    try:
        return tried(path, sample, accounts, is_whole=is_whole)
    except Found as found:
        return f"FOUND {found}"
    except BaseException as failure:
        place = traceback.extract_tb(failure.__traceback__)[-1]
        kind = type(failure).__name__
        where = f"{Path(place.filename).name}:{place.lineno} {place.name}"
        return f"FOUND {kind} in {where}\n{traceback.format_exc()[-4000:]}"


if __name__ == "__main__":
    main()
