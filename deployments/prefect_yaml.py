"""prefect.yaml, for an office with a worker: the calendar, written down for `prefect deploy`."""

from __future__ import annotations

import argparse
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from deployments.calendar import PlannedDeployment, calendar
from domain.causes import say_cause
from domain.failures import Misuse
from office.settings.settings import Settings, open_settings

FILE = Path(__file__).parents[1] / "prefect.yaml"
POOL = "office"
ZONE = "{{ $BILLCLOSE_TIMEZONE }}"  # of the utility; `prefect deploy` fills it in
HEAD = """\
# Written by `python -m deployments.prefect_yaml`; change deployments/calendar.py, not this file.
# With other settings than the defaults: python -m deployments.prefect_yaml HOME > HOME/prefect.yaml
# Deploy with: BILLCLOSE_TIMEZONE=America/Denver python -m deployments.deploying HOME
"""


def page(
    settings: Settings,
    pool: str = POOL,
    job_variables: dict[str, Any] | None = None,
    owner: tuple[str, ...] = (),
) -> str:
    """
    Return the file as the calendar has it with these settings.

    `job_variables` go to each run of a Docker or Kubernetes pool: image, env, volumes. `owner` is
    the tag of the office, where one deploys.
    """
    written = {
        "name": "billclose",
        "prefect-version": "3.8.8",
        "pull": [],  # nothing: null would have runs look for the folder that was deployed from
        "deployments": [
            _deployment(plan, settings, {"name": pool} | _variables(job_variables), owner)
            for plan in calendar(settings)
        ],
    }
    text: str = yaml.safe_dump(written, sort_keys=False, width=100, allow_unicode=True)
    return HEAD + text


def read_job_variables(file: Path) -> dict[str, Any]:
    """Read a file of job variables, YAML or JSON; raises Misuse where it is none."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as failure:
        raise Misuse(f"{file} cannot be read as YAML ({say_cause(failure)}).") from None
    if not isinstance(found, dict):
        raise Misuse(f"{file} holds no job variables; write lines like `image: billclose:1.0.0`.")
    return found


def _deployment(
    plan: PlannedDeployment,
    settings: Settings,
    work_pool: dict[str, Any],
    owner: tuple[str, ...],
) -> dict[str, Any]:
    schedules = []
    if plan.schedule is not None and settings.prefect.schedules:
        schedules.append({"cron": plan.schedule.cron, "timezone": ZONE, "active": True})
    return {
        "name": plan.name,
        "description": plan.what,
        "entrypoint": plan.entrypoint,
        "tags": [*plan.tags, *owner],
        "schedules": schedules,
        "concurrency_limit": {"limit": 1, "collision_strategy": plan.collision},
        "work_pool": deepcopy(work_pool),  # YAML would write one that is shared as a reference
    }


def _variables(job_variables: dict[str, Any] | None) -> dict[str, Any]:
    return {"job_variables": job_variables} if job_variables else {}


def options(what: str) -> argparse.ArgumentParser:
    """Return the words that writing the file and deploying have in common."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("home", nargs="?", type=Path, help="Home whose settings count.")
    parser.add_argument("--pool", default=POOL, help="Work pool that carries the flows out.")
    parser.add_argument("--job-variables", type=Path, help="YAML or JSON for each run of the pool.")
    return parser


def main(words: list[str], owner: tuple[str, ...] = ()) -> str:
    """Return the page that the words on the command line ask for, with the tag of its office."""
    chosen = options("Write prefect.yaml.").parse_args(words)
    settings = open_settings(chosen.home) if chosen.home else Settings()
    variables = read_job_variables(chosen.job_variables) if chosen.job_variables else {}
    return page(settings, chosen.pool, variables, owner)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]))
