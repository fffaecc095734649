"""Fuzzing: harmed bulk files must be refused or split right; run it by hand, not in the suite.

python -m tests.splitter.fuzz_splitter FOLDER --minutes 15
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from pathlib import Path

from domain.failures import Refused
from splitter.filing import BillStore
from splitter.splitting import Splitting
from tests.splitter.pdf_builders import a_bulk_file

NUMBER = re.compile(rb"[0-9]+")
WORD = re.compile(rb"/[A-Za-z]+|obj|endobj|stream|R\b|<<|>>|\[|\]")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--minutes", type=float, default=15)
    arguments.add_argument("--seed", type=int, default=0)
    told = arguments.parse_args()
    samples = sorted(told.folder.glob("*.pdf"))
    until = time.monotonic() + 60 * told.minutes
    number = told.seed
    counts = {"refused": 0, "split": 0, "with problems": 0}
    while time.monotonic() < until:
        number += 1
        counts[attempt(samples[number % len(samples)], number)] += 1
    print(number - told.seed, "files", counts)


def attempt(sample: Path, number: int) -> str:
    """Harm a sample in a way that depends on the number, split it, and check what came of it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "bills.pdf"
        path.write_bytes(harmed(sample.read_bytes(), random.Random(number)))
        began = time.monotonic()
        try:
            result = split_and_check(path, Path(folder) / "store")
        except Refused as refused:
            assert refused.code == "pdf-unreadable", refused
            result = "refused"
        except BaseException:
            kept = Path(tempfile.gettempdir()) / f"fuzz-found-{number}.pdf"
            kept.write_bytes(path.read_bytes())
            print("FOUND", number, sample.name, kept, flush=True)
            raise
        if time.monotonic() - began > 100:
            print("SLOW", number, sample.name, flush=True)
        return result


def split_and_check(path: Path, store: Path) -> str:
    with Splitting(path, a_bulk_file(), processes=1) as splitting:
        assignment = splitting.plan()
        outcome = splitting.file_bills(assignment, BillStore(store), prefix="")
    pages = [page for bill in assignment.bills for page in bill.pages]
    pages += [*assignment.separators, *(page.page for page in assignment.unassigned)]
    assert sorted(pages) == list(range(outcome.pages))
    assert len(outcome.bills) + len(outcome.problems) == len(assignment.bills)
    written = {found.name for found in store.rglob("*") if found.is_file()}
    assert written == {bill.path for bill in outcome.bills}, "an unfinished or a missing file"
    return "with problems" if outcome.problems else "split"


def harmed(pdf: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 5))):
        harm = chance.choice((other_byte, other_number, other_word, cut_out, doubled, zeros))
        pdf = harm(pdf, chance)
    return pdf


def other_byte(pdf: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(pdf))
    return pdf[:at] + bytes([chance.randrange(256)]) + pdf[at + 1 :]


def other_number(pdf: bytes, chance: random.Random) -> bytes:
    """Put another number of the same length, so that the offsets still hold."""
    found = NUMBER.search(pdf, chance.randrange(len(pdf)))
    if found is None:
        return pdf
    digits = bytes(chance.choice(b"0123456789") for _ in found[0])
    return pdf[: found.start()] + digits + pdf[found.end() :]


def other_word(pdf: bytes, chance: random.Random) -> bytes:
    one = WORD.search(pdf, chance.randrange(len(pdf)))
    other = WORD.search(pdf, chance.randrange(len(pdf)))
    if one is None or other is None:
        return pdf
    word = other[0][: len(one[0])].ljust(len(one[0]))
    return pdf[: one.start()] + word + pdf[one.end() :]


def cut_out(pdf: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(pdf))
    return pdf[:at] + pdf[at + chance.randrange(1, 200) :]


def doubled(pdf: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(pdf))
    piece = pdf[at : at + chance.randrange(1, 200)]
    to = chance.randrange(len(pdf))
    return pdf[:to] + piece + pdf[to + len(piece) :]


def zeros(pdf: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(pdf)), chance.randrange(1, 64)
    return pdf[:at] + bytes(length) + pdf[at + length :]


if __name__ == "__main__":
    main()
