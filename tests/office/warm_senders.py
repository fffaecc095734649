"""Processes that help to send, forked from one that has loaded what they need."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from multiprocessing.process import BaseProcess

# What a sender loads on its way, too.
import office.equipment.mail
import office.equipment.office
import office.identity
import office.procedures.mailing.mail_sending  # noqa: F401
from command_line.commands import mail
from tests.forked import forks, load_before_forks

load_before_forks(__name__)


class WarmSender:
    """What of `Popen` a leader uses, for a process that another one has forked."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> None:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("sender", timeout)

    def kill(self) -> None:
        self._process.kill()


def start_warm(_program: str, theirs: socket.socket) -> WarmSender:
    """Start a sender as `start_program` does, without loading its modules."""
    process = forks().Process(target=_send, args=(theirs, dict(os.environ)))
    process.start()
    return WarmSender(process)


def _send(theirs: socket.socket, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [mail.__name__, str(theirs.detach())]
    mail.main()
