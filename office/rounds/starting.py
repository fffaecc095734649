"""Starters: a flow run is made in the server that the office knows, or by a command of ours."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

from domain.failures import TemporaryFailure
from office.equipment.office import Office
from office.prefect_server.runs import KnownServer, known_address

COMMANDS = {
    "retry-postings": ("retry-postings",),
    "send-mail": ("mail", "send"),
    "health-watch": ("health", "--tell"),
    "process-bounces": ("process-bounces",),
    "take-in-feed": ("feed",),
}
PROGRAM = "from command_line.main import main; main()"
DONE = (0, 4)  # 4: what needs a person stands in the books


@dataclass(frozen=True, slots=True)
class StartsInServer:
    """Makes runs of the deployments that `billclose up` or a worker carries out."""

    office: Office

    def start(self, deployment: str, name: str, key: str, now: datetime) -> bool:
        with KnownServer(self.office) as server:
            return server.start(deployment, name, key, now)


@dataclass(frozen=True, slots=True)
class StartsCommand:
    """Does the work by a command, one after the other, where no Prefect server is known."""

    office: Office

    def start(self, deployment: str, name: str, key: str, now: datetime) -> bool:
        words = [sys.executable, "-P", "-c", PROGRAM, "--home", str(self.office.home.absolute())]
        done = subprocess.run(
            [*words, *COMMANDS[deployment], "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # its document; what it has to say goes to standard error
        )
        if done.returncode not in DONE:
            raise TemporaryFailure(f"{' '.join(COMMANDS[deployment])} ended as {done.returncode}")
        return True


def starter_of(office: Office) -> StartsInServer | StartsCommand:
    """Return what starts the work of an office."""
    return StartsInServer(office) if known_address(office) else StartsCommand(office)
