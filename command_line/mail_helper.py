"""A process that helps to send the mails; whoever leads the sending starts it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from mail.duty import Duty
    from office.mail_helpers import Start


def main() -> None:
    """
    Send what is due, as told over the given socket, until nothing is left or it is closed.

    Ctrl-C reaches every process of the terminal: the leader hears it, and asks us to stop. The
    collector begins when all is loaded: that stays.
    """
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    with socket.socket(fileno=int(sys.argv[1])) as leader:
        _help(leader)


def _end(_signal: int, _frame: Any) -> NoReturn:
    """Leave at once, and in order: what was claimed is put back, what is under way is in doubt."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _help(leader: socket.socket) -> None:
    from mail.duty import Duty
    from mail.reports import LONGEST

    told = leader.recv(LONGEST)
    duty = Duty(leader)
    Thread(target=duty.watch, daemon=True).start()  # while the rest is loaded, too
    try:
        from office.mail_helpers import Start

        _send(Start.of(told), duty)
    except SystemExit:
        duty.end(trouble="it was ended")
    except Exception as failure:
        from command_line.main import describe

        duty.end(trouble=describe(failure)[1])


def _send(start: Start, duty: Duty) -> None:
    from datetime import datetime
    from pathlib import Path

    from command_line.opening import wall_clock
    from office.identity import person
    from office.mail_helpers import clock_of, same_settings
    from office.mail_sending import send_alone
    from office.mail_server import to_mailer
    from office.wiring import Office, at_work

    sys.argv[0] = start.program
    home = Path(start.home)
    here = Office(home, same_settings(start), clock_of(start, wall_clock), person())
    moment = datetime.fromisoformat(start.due) if start.due else None
    with (
        at_work(here),
        closing(here.database),
        closing(to_mailer(home, here.settings.smtp, connections=start.connections)) as mailer,
    ):
        gc.freeze()
        gc.enable()
        duty.begin(start.grace)
        done = send_alone(
            here, mailer, start.kinds, lambda: moment or here.due_now(), duty.tell, duty.must_stop
        )
        duty.end(done)


if __name__ == "__main__":
    main()
