"""What closes on several machines leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.flows.desk import Desk


def result(desk: Desk) -> tuple[Any, ...]:
    """What a close leaves behind, but for where the bills lie in their store."""
    bills = [{**row, "pdf": Path(row["pdf"]).name} for row in desk.rows("bills")]
    mails = sorted((row["account"], row["recipient"]) for row in desk.rows("deliveries"))
    printed = [path.read_bytes() for path in sorted((desk.home / "print").rglob("*.pdf"))]
    return bills, mails, desk.rows("paper"), desk.rows("scheduled-payments"), printed


def makers_of(settings: dict[str, str]) -> list[dict[str, Any]]:
    """Who made which batch, as Prefect shows it."""
    newest = {
        "sort": "CREATED_DESC",
        "limit": 1,
        "artifacts": {"key": {"any_": ["batches-2026-10"]}},
    }
    (artifact,) = httpx.post(f"{settings['PREFECT_API_URL']}/artifacts/filter", json=newest).json()
    rows: list[dict[str, Any]] = json.loads(artifact["data"])
    return rows
