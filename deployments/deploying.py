"""Deploying to a Prefect server with workers: never over another office's deployments."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from prefect.client.orchestration import get_client

from deployments.automations import ensure_automations
from deployments.prefect_yaml import main as written
from deployments.prefect_yaml import options
from domain.failures import Misuse, TemporaryFailure
from office.clock import Clock
from office.equipment.office import Office
from office.identity import person
from office.prefect_server.owner import owner_tag
from office.prefect_server.runs import require_own_deployments
from office.settings.settings import open_settings


def deploy(words: list[str]) -> int:
    """
    Deploy the calendar of a home, then the alerts' triggers; return the exit status.

    Refused (2) where the server's deployments are another office's, by their tag; 1 where no server
    answers.
    """
    chosen = options("Deploy the flows of HOME.").parse_args(words)
    home = chosen.home or Path()
    office = Office(home, open_settings(home), Clock(lambda: datetime.now(UTC)), person())
    try:
        require_own_deployments(office, chosen.pool)
        text = written(words, (owner_tag(office),))
    except Misuse as refused:
        sys.stderr.write(f"billclose: {refused.message}\n")
        return 2
    except TemporaryFailure as silent:
        sys.stderr.write(
            f"billclose: {silent} Start it first; PREFECT_API_URL says where it is, such as "
            "http://127.0.0.1:4200/api.\n"
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="billclose-deploy-") as folder:
        (Path(folder) / "prefect.yaml").write_text(text)
        deploying = [sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--all"]
        status = subprocess.run(deploying, cwd=folder).returncode
    if status == 0:
        with get_client(sync_client=True) as client:
            ensure_automations(client)
    return status


if __name__ == "__main__":
    sys.exit(deploy(sys.argv[1:]))
