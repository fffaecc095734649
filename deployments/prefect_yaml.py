"""prefect.yaml, for an office with a worker: the calendar, written down for `prefect deploy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from deployments.calendar import PlannedDeployment, calendar
from office.settings.settings import Settings, read_settings

FILE = Path(__file__).parents[1] / "prefect.yaml"
POOL = "office"
ZONE = "{{ $BILLCLOSE_TIMEZONE }}"  # of the utility; `prefect deploy` fills it in
HEAD = """\
# Written by `python -m deployments.prefect_yaml`; change deployments/calendar.py, not this file.
# With other settings than the defaults: python -m deployments.prefect_yaml HOME > HOME/prefect.yaml
# Deploy with: BILLCLOSE_TIMEZONE=America/Denver prefect --no-prompt deploy --all
"""


def page(settings: Settings) -> str:
    """Return the file as the calendar has it with these settings."""
    written = {
        "name": "billclose",
        "prefect-version": "3.8.8",
        "pull": None,
        "deployments": [_deployment(plan, settings) for plan in calendar(settings)],
    }
    text: str = yaml.safe_dump(written, sort_keys=False, width=100, allow_unicode=True)
    return HEAD + text


def _deployment(plan: PlannedDeployment, settings: Settings) -> dict[str, Any]:
    schedules = []
    if plan.schedule is not None and settings.prefect.schedules:
        schedules.append({"cron": plan.schedule.cron, "timezone": ZONE, "active": True})
    return {
        "name": plan.name,
        "description": plan.what,
        "entrypoint": plan.entrypoint,
        "tags": list(plan.tags),
        "schedules": schedules,
        "concurrency_limit": {"limit": 1, "collision_strategy": plan.collision},
        "work_pool": {"name": POOL},
    }


if __name__ == "__main__":
    sys.stdout.write(page(read_settings(Path(sys.argv[1])) if len(sys.argv) > 1 else Settings()))
