"""What the processes of a sending report, and what it comes to."""

from __future__ import annotations

import pytest

from domain.deliveries import DeliveryStatus
from mail.outbox.parallel_sending import SenderReport, together
from mail.outbox.sending import SendCounts

AWAY = "no connection to the relay: connection refused"
BOTH = (DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT)


def a_stopped_one(sent: int = 5) -> SenderReport:
    """A process that gave back 30 of 31 deferred mails, and 2 that may have arrived."""
    counts = SendCounts(sent=sent, deferred=31, in_doubt=2, stopped_by=AWAY, mailed_nobody=not sent)
    return SenderReport(counts, {DeliveryStatus.DEFERRED: 30, DeliveryStatus.IN_DOUBT: 2})


def test_a_report_arrives_as_it_was_sent():
    report = SenderReport(
        a_stopped_one().counts, a_stopped_one().left, is_last=True, trouble="ended"
    )

    assert report == SenderReport.of(report.to_message())


def test_counts_add_up():
    one = SendCounts(sent=3, failed=1, deferred=2, in_doubt=1, possible_duplicates=1)

    assert SendCounts(sent=6, failed=2, deferred=4, in_doubt=2, possible_duplicates=2) == together(
        [SenderReport(one)], [SenderReport(one)]
    )


def test_what_somebody_else_tries_again_is_counted_there():
    helper = a_stopped_one().taken_over(BOTH)

    assert SendCounts(sent=37, deferred=1, possible_duplicates=2) == together(
        [SenderReport(SendCounts()), SenderReport(SendCounts(sent=32, possible_duplicates=2))],
        [helper],
    )


def test_what_waits_for_a_person_stays_in_doubt():
    helper = a_stopped_one().taken_over([DeliveryStatus.DEFERRED])

    assert (1, 2) == (helper.counts.deferred, helper.counts.in_doubt)


@pytest.mark.parametrize(
    ("own", "helper", "stopped_by"),
    [
        ([AWAY], "", AWAY),
        ([""], AWAY, ""),
        ([AWAY, ""], AWAY, ""),
        (["", AWAY], AWAY, AWAY),
    ],
)
def test_why_it_ended_early_is_said_by_the_leader_and_once(own, helper, stopped_by):
    reports = [SenderReport(SendCounts(stopped_by=one)) for one in own]

    assert stopped_by == together(reports, [SenderReport(SendCounts(stopped_by=helper))]).stopped_by


@pytest.mark.parametrize(("sent", "is_nobody"), [(0, True), (1, False)])
def test_nobody_was_mailed_where_no_process_mailed_anybody(sent, is_nobody):
    both = together([a_stopped_one(0)], [SenderReport(SendCounts(sent=sent))])

    assert is_nobody == both.mailed_nobody
