"""The procedure: several processes empty one outbox, led by this one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from domain.deliveries import DeliveryStatus
from mail.helper import Helper, wait_for_news
from mail.reports import Report, together
from mail.tallying import SendCounts

Progress = Callable[[SendCounts], None]


def send_together(
    send: Callable[[Progress], Report],
    helpers: Sequence[Helper],
    progress: Progress,
    again: Collection[DeliveryStatus] = (DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT),
) -> SendCounts:
    """
    Send with helpers that have started; `send` is what this process does itself.

    Each claims rows of its own, and each stops by itself where the relay fails it: a relay that
    allows fewer connections may refuse one and serve another. What was left undone (a helper was
    refused, broke down, was killed) this process does once all others have ended, and what keeps
    it from that is why the sending ended early; it finds what was left in the statuses of `again`.
    Whatever ends this ends the helpers.
    """
    own: list[Report] = []

    def show(now: SendCounts) -> None:
        for helper in helpers:
            helper.listen()
        progress(together([*own, Report(now)], [helper.report for helper in helpers]))

    try:
        own.append(send(show))
        if not own[0].counts.stopped_by or _is_relay_working(helpers):
            _dismiss_idle(helpers)
            while wait_for_news(helpers):
                show(SendCounts())
            if own[0].counts.stopped_by or any(helper.has_left_some for helper in helpers):
                _end(helpers)  # what a living process holds nobody takes over
                own[0] = own[0].taken_over(again)
                for helper in helpers:
                    helper.report = helper.report.taken_over(again)
                own.append(send(show))
    finally:
        _end(helpers)
    return together(own, [helper.report for helper in helpers])


def _dismiss_idle(helpers: Sequence[Helper]) -> None:
    """Wait for no helper that has not begun while nothing was left; if it just did, we go on."""
    for helper in helpers:
        helper.listen()
        if not helper.has_reported:
            helper.ask_to_stop()


def _end(helpers: Sequence[Helper]) -> None:
    for helper in helpers:
        helper.ask_to_stop()
    for helper in helpers:
        helper.end()


def _is_relay_working(helpers: Sequence[Helper]) -> bool:
    """Tell whether another process has got something through, so that it is not the relay."""
    for helper in helpers:
        helper.listen()
    return any(helper.report.counts.sent for helper in helpers)
