"""The bulk files that are measured, made once and kept outside the repository."""

from __future__ import annotations

import os
from pathlib import Path

from bench.splitter.producers import PRODUCERS, SPECIAL


def cache_folder() -> Path:
    """Return the folder of $BILLCLOSE_BENCH_CACHE, else ~/.cache/billclose-bench."""
    told = os.environ.get("BILLCLOSE_BENCH_CACHE")
    folder = Path(told) if told else Path.home() / ".cache" / "billclose-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bulk_file(producer: str, bills: int) -> Path | None:
    """Return a producer's bulk file, made where it is missing; None without the producer."""
    cache = cache_folder()
    if producer in ("ghostscript", "object-streams"):
        bulk_file("reportlab", bills)  # what they start from
    file = cache / f"{producer}-{bills}.pdf"
    if not file.exists():
        unfinished = file.with_suffix(".new.pdf")
        if not (PRODUCERS | SPECIAL)[producer](unfinished, bills, cache):
            return None
        unfinished.replace(file)
    return file
