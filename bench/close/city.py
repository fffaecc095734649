"""The cities whose periods are closed: exports made once and kept outside the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.splitter.bulk_files import cache_folder
from command_line.demo.export import write_demo_city

PERIOD = "2026-10"
AS_OF = "2026-11-02T09:00"  # local time of the city: the first business day


def city(accounts: int) -> Path:
    """Return the export of a city of so many accounts, made where it is missing."""
    folder = cache_folder() / f"city-{accounts}"
    if not folder.exists():
        unfinished = folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_demo_city(unfinished, accounts=accounts, period=PERIOD).rename(folder)
    return folder
