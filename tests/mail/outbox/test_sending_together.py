"""Several processes that send: what is shown last is what is returned."""

from __future__ import annotations

import socket
import subprocess
import sys

from mail.outbox.parallel_sending import SenderReport, SendingProcess, send_together
from mail.outbox.sending import SendCounts


def ended_with(report: SenderReport) -> SendingProcess:
    """Return a sender that has reported and ended, of which nobody has heard yet."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        theirs.send(report.to_message())
    return SendingProcess(subprocess.Popen([sys.executable, "-S", "-c", ""]), ours)


def test_a_last_report_that_came_while_nobody_waited_is_shown():
    shown: list[SendCounts] = []
    sender = ended_with(SenderReport(SendCounts(sent=40, failed=2), is_last=True))

    done = send_together(lambda _show: SenderReport(SendCounts(sent=20)), [sender], shown.append)

    assert SendCounts(sent=60, failed=2) == done
    assert done == shown[-1]
