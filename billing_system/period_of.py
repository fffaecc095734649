"""Which period an export is of, without reading all of it."""

from __future__ import annotations

from pathlib import Path

from billing_system.embedded import read_manifest
from billing_system.export_files import open_place


def read_period_id(source: Path) -> str:
    """Return the period an export is of; raises Misuse where there is no usable export."""
    return read_manifest(open_place(source)).period.id
