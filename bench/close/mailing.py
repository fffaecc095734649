"""A closed period's mails sent once more, by one process and by two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from bench.close.city import AS_OF
from bench.close.figures import Times
from bench.measuring import cpu_seconds
from database.books import Database
from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind

ROUNDS = 3  # of each, in turn
MOST = min(2, os.cpu_count() or 1)  # processes


def mailed_again(home: Path, environment: dict[str, str]) -> list[Times]:
    """
    Measure the sending alone, by one process and by two: seconds, and CPU seconds of both.

    The least of the rounds counts, since others may use the machine.
    """
    url = environment.get("BILLCLOSE_DATABASE__URL", f"sqlite:///{home / 'billclose.db'}")
    database = Database(url)
    wall: list[list[float]] = [[] for _ in range(MOST)]
    cpu: list[list[float]] = [[] for _ in range(MOST)]
    for _ in range(ROUNDS):
        for others in range(MOST):
            _queue_again(database)
            seconds = _send(home, environment | {"BILLCLOSE_SMTP__PROCESSES": str(others + 1)})
            wall[others].append(seconds["wall"])
            cpu[others].append(seconds["cpu"])
    database.close()
    engine = "SQLite" if database.is_sqlite else "PostgreSQL"
    name = f"{seconds['mails']:,} mails, {engine}"
    return [
        Times(name, [min(one) for one in wall]),
        Times(f"{name}, CPU", [min(one) for one in cpu]),
    ]


def _queue_again(database: Database) -> None:
    waiting = {
        "status": DeliveryStatus.QUEUED,
        "attempts": 0,
        "next_try_at": delivery.c.queued_at,
        "sent_at": None,
    }
    with database.writing() as books:
        books.execute(delivery.update().values(waiting))


def _send(home: Path, environment: dict[str, str]) -> dict[str, float]:
    """Send in a process of its own, which has everything loaded when the clock starts."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.close.mailing", str(home)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    found: dict[str, float] = json.loads(told)
    return found


def main() -> None:
    """Send what is due in a home, and print what that took."""
    from command_line.options import wall_clock
    from office.clock import Clock
    from office.equipment.office import Office, at_work
    from office.procedures.mailing.mail_sending import send_mails
    from office.settings.settings import open_settings

    home = Path(sys.argv[1])
    clock = Clock(wall_clock, datetime.fromisoformat(AS_OF))
    with at_work(Office(home, open_settings(home), clock, "bench")) as office:
        _ = office.bill_renderer, office.mailer
        began, used = time.monotonic(), cpu_seconds()
        counts = send_mails(office, tuple(MessageKind), office.due_now, lambda _counts: None)
        taken = {
            "wall": time.monotonic() - began,
            "cpu": cpu_seconds() - used,
            "mails": counts.sent,
        }
        office.database.close()
    if counts.unsent or not counts.sent:
        raise RuntimeError(f"not all could be sent: {counts}")
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
