"""Sending an office's mails: by this process, and where much is due by others beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from database.owners import this_process
from domain.deliveries import MessageKind
from mail.due import count_due, sendable
from mail.helper import Helper
from mail.leading import Progress, send_together
from mail.notices import NOTICES
from mail.port import Mailer
from mail.reports import Report
from mail.sending import send_due
from mail.tallying import SendCounts, Tally
from mail.worker import Render
from office.mail_helpers import (
    MAILS_FOR_ONE_MORE,
    Start,
    most_processes,
    shares,
    start_helper,
    starts_of,
    worth,
)

if TYPE_CHECKING:
    from office.wiring import Office

JOURNALS = "outbox"  # a folder of the home
LOG = logging.getLogger(__name__)


def send_mails(
    here: Office,
    kinds: Collection[MessageKind],
    due: Callable[[], datetime],
    progress: Progress,
) -> SendCounts:
    """Send what is due of some kinds, with as many processes as are allowed and worth it."""
    processes = _processes(here, kinds, due())
    if processes == 1:
        return send_alone(here, here.mailer, kinds, due, progress).counts
    from office.mail_server import to_mailer

    here.mailer.close()  # its idle connections count among those that the relay was promised
    own, *others = shares(here.settings.smtp.connections, processes)
    with closing(to_mailer(here.home, here.settings.smtp, connections=own)) as mailer:
        helpers = _start(starts_of(here, kinds, due(), others))
        send = partial(send_alone, here, mailer, kinds, due)
        again = sendable(resend_in_doubt=here.settings.ebill.resend_in_doubt)
        counts = send_together(send, helpers, progress, again)
    for helper in helpers:
        if helper.trouble:
            LOG.warning("a process that helps to send: %s", helper.trouble)
    return counts


def send_alone(
    here: Office,
    mailer: Mailer,
    kinds: Collection[MessageKind],
    due: Callable[[], datetime],
    progress: Progress,
    stop: Callable[[], bool] | None = None,
) -> Report:
    """Send what is due of some kinds in this process; see mail.sending."""
    renderers: dict[MessageKind, Render] = {
        MessageKind.BILL: here.bill_renderer,
        **dict.fromkeys(NOTICES, here.notice_renderer),
    }
    tally = Tally()
    counts = send_due(
        here.database,
        mailer,
        {kind: render for kind, render in renderers.items() if kind in kinds},
        journals=here.folder(JOURNALS),
        clock=due,
        owner=this_process(),
        stop=stop,
        progress=progress,
        resend_in_doubt=here.settings.ebill.resend_in_doubt,
        tally=tally,
    )
    return Report(counts, dict(tally.left))


def _start(starts: Iterable[Start]) -> list[Helper]:
    """Start helpers, as many as the machine has room for: what is due is sent without them too."""
    helpers: list[Helper] = []
    for start in starts:
        try:
            helpers.append(start_helper(start))
        except OSError as failure:
            LOG.warning("no process to help to send could be started: %s", failure.strerror)
    return helpers


def _processes(here: Office, kinds: Collection[MessageKind], now: datetime) -> int:
    most = 1 if here.rehearses else most_processes(here.settings.smtp)
    if most == 1:
        return 1
    in_doubt = here.settings.ebill.resend_in_doubt
    counted = most * MAILS_FOR_ONE_MORE
    due = count_due(here.database, now, kinds, resend_in_doubt=in_doubt, most=counted)
    return worth(most, due)
