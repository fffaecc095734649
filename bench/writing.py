"""Where measuring happens, and where what was measured is written down."""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def memory_disk(room_bytes: int = 0) -> Path | None:
    """Return a file system in memory if there is one; a disk's moods outweigh the figures."""
    place = Path("/dev/shm")
    free = shutil.disk_usage(place).free if place.is_dir() else 0
    return place if free > room_bytes else None


def write_down(
    name: str, figures: dict[str, Any], table: str, plot: str = "", folder: Path = RESULTS
) -> None:
    """Write figures as JSON, as a table that says what they mean, and as a plot if there is one."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    (folder / f"{name}.md").write_text(table)
    if plot:
        (folder / f"{name}.svg").write_text(plot)
