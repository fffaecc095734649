"""The bills of a period that is closed on a day on which the office works not."""

from __future__ import annotations

from datetime import date

import pytest

from office.procedures.mailing.due_mail import queue_bills_of, send_what_is_due
from office.settings.close import UtilitySettings
from tests.mail.builders import RUN, a_run, an_account, deliveries
from tests.office.health_builders import an_office_at


def closed_on(home, database, day, *, moves="next", draw=None):
    """Queue the bills of a period closed that morning; return when each may leave."""
    a_run(database)
    an_account(database, draw=None if draw is None else date.fromisoformat(draw))
    office = an_office_at(
        home, database, f"{day}T09:00", utility=UtilitySettings(mail_on_closed_day=moves)
    )
    queue_bills_of(office, RUN)
    return office, [row.next_try_at.isoformat()[:16] for row in deliveries(database)]


@pytest.mark.parametrize(
    ("day", "moves", "draw_on", "leaves"),
    [
        pytest.param("2026-11-07", "same", None, "2026-11-07T16:00", id="as delivered: at once"),
        pytest.param("2026-11-07", "next", None, "2026-11-09T13:00", id="a Saturday"),
        pytest.param("2026-11-08", "next", None, "2026-11-09T13:00", id="a Sunday"),
        pytest.param("2026-11-11", "next", None, "2026-11-12T13:00", id="Veterans Day"),
        pytest.param("2026-11-07", "previous", None, "2026-11-07T16:00", id="none goes back"),
        pytest.param("2026-11-07", "next", "2026-11-09", "2026-11-09T13:00", id="drawn that day"),
        pytest.param("2026-11-07", "next", "2026-11-08", "2026-11-07T16:00", id="drawn before it"),
        pytest.param("2026-11-21", "next", None, "2026-11-21T16:00", id="due by then"),
        pytest.param("2026-11-10", "next", None, "2026-11-10T16:00", id="a working day"),
    ],
)
def test_bills_leave_when_the_office_works_and_never_too_late(
    empty_books, tmp_path, day, moves, draw_on, leaves
):
    _, moments = closed_on(tmp_path, empty_books, day, moves=moves, draw=draw_on)

    assert [leaves] == moments  # 06:00 and 09:00 in Denver


def test_what_waits_for_monday_is_not_sent_on_saturday(empty_books, tmp_path):
    office, _ = closed_on(tmp_path, empty_books, "2026-11-07")

    tried = send_what_is_due(office, office.due_now, lambda _counts: None)

    assert (0, False) == (tried.sent + tried.unsent, tried.mailed_nobody)
    assert ["queued"] == [row.status for row in deliveries(empty_books)]
