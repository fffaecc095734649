"""What is checked, and what is asked, before somebody says yes to a close."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.checklist import ChecklistItem, ChecklistMark, to_line
from domain.failures import Refused
from rules.closing_checklist import ChecklistFacts, list_checklist, open_items, require_done

NOW = datetime(2026, 11, 2, 16, tzinfo=UTC)
READY = ChecklistFacts("2026-10", date(2026, 10, 31), NOW, backup_at=NOW - timedelta(hours=3))
DONE, OPEN, ASKED = ChecklistMark.DONE, ChecklistMark.OPEN, ChecklistMark.ASKED


def of(facts: ChecklistFacts, item: ChecklistItem, hours: int = 24):
    (line,) = (line for line in list_checklist(facts, backup_hours=hours) if line.item is item)
    return line


def test_an_office_that_is_ready_has_nothing_open_and_is_asked_what_only_people_know():
    lines = list_checklist(READY, backup_hours=24, own=("Adjustments are reviewed.",))

    assert () == open_items(lines)
    assert [ASKED, DONE, DONE, DONE, ASKED] == [line.mark for line in lines]
    assert "Adjustments are reviewed." == lines[-1].says
    assert "up to October 31 was posted before the export was written." in lines[0].says


@pytest.mark.parametrize(
    ("found", "item", "says"),
    [
        ({"unposted": "2 payments, $80.00"}, "payments-in", "2 payments, $80.00 not in cash"),
        ({"in_doubt": 1}, "payments-in", "1 payment in doubt"),
        ({"undrawn": 3}, "payments-in", "3 payments to be drawn on a day that has passed"),
        ({"has_feed": True, "feed_is_stale": "30 hours old"}, "feed-current", "30 hours old"),
        ({"backup_at": None}, "backup-made", "No backup is known."),
        ({"backup_at": NOW - timedelta(hours=25)}, "backup-made", "25 hours ago"),
        ({"backup_at": NOW - timedelta(days=9)}, "backup-made", "9 days ago"),
        ({"at_work": ("ben works on 2026-10-B",)}, "nobody-at-work", "ben works on 2026-10-B"),
    ],
)
def test_what_is_not_so_is_open_with_what_to_do(found, item, says):
    lines = list_checklist(replace(READY, **found), backup_hours=24)

    (line,) = (line for line in lines if line.mark is OPEN)
    assert (item, True, True) == (line.item, says in line.says, bool(line.remedy))
    assert line == to_line(line.to_json())


def test_each_payment_that_is_missing_has_its_remedy_and_a_close_that_is_stopped_says_them():
    facts = replace(READY, unposted="2 payments, $80.00", in_doubt=1, undrawn=3, backup_at=None)
    remedy = (
        "Run `billclose retry-postings`. Look the payments in doubt up (`billclose unknown`). "
        "Run `billclose collect`."
    )

    assert remedy == of(facts, ChecklistItem.PAYMENTS_IN).remedy
    lines = list_checklist(facts, backup_hours=24)
    with pytest.raises(Refused) as stopped:
        require_done(lines, (ChecklistItem.PAYMENTS_IN, ChecklistItem.BACKUP_MADE))
    assert f"{remedy} backup-made: No backup is known." in stopped.value.message


def test_the_moment_of_the_export_stands_in_what_is_asked_about_payments():
    facts = replace(READY, written_at=datetime(2026, 10, 31, 17, 0))

    assert "written, October 31 at 17:00." in of(facts, ChecklistItem.PAYMENTS_IN).says


def test_of_a_feed_whose_age_nobody_watches_the_newest_file_is_said():
    line = of(replace(READY, fed_at=datetime(2026, 10, 31, 17, 0)), ChecklistItem.FEED_CURRENT)

    assert (ASKED, True) == (line.mark, "written October 31 at 17:00." in line.says)
    assert "no feed" in of(READY, ChecklistItem.FEED_CURRENT).says


FEED = "Take the feed in: `billclose feed`."
BACKUP = "Have one made; at a terminal: `billclose backup --to FILE` (checklist.backup_hours)."


@pytest.mark.parametrize(
    ("found", "item", "mark", "says", "remedy"),
    [
        ({}, "payments-in", ASKED,
         "Nothing taken here is undrawn, in doubt or unposted. A yes says that every payment of "
         "counter, lockbox and bank up to October 31 was posted before the export was written.",
         ""),
        ({"unposted": "1 payment, $2.00", "undrawn": 1}, "payments-in", OPEN,
         "1 payment, $2.00 not in cash receipting; 1 payment to be drawn on a day that has passed.",
         "Run `billclose retry-postings`. Run `billclose collect`."),
        ({"in_doubt": 2}, "payments-in", OPEN, "2 payments in doubt.",
         "Look the payments in doubt up (`billclose unknown`)."),
        ({}, "feed-current", DONE, "There is no feed: balances are the export's own.", ""),
        ({"has_feed": True}, "feed-current", DONE,
         "The feed is current, and no file of it is missing.", ""),
        ({"has_feed": True, "fed_at": NOW}, "feed-current", DONE,
         "The feed is current, and no file of it is missing.", ""),
        ({"has_feed": True, "fed_at": NOW, "feed_is_stale": "30 hours old"}, "feed-current", OPEN,
         "The feed is not current: 30 hours old.", FEED),
        ({"fed_at": datetime(2026, 10, 3, 7, 5)}, "feed-current", ASKED,
         "Nobody watches how old the feed is (feed.max_age); its newest file was written "
         "October 3 at 07:05. A yes says that it is current.", ""),
        ({"backup_at": None}, "backup-made", OPEN, "No backup is known.", BACKUP),
        ({"backup_at": NOW - timedelta(hours=24, seconds=1)}, "backup-made", OPEN,
         "The last backup was made 24 hours ago.", BACKUP),
        ({"backup_at": NOW - timedelta(hours=24)}, "backup-made", DONE,
         "A backup was made 24 hours ago.", ""),
        ({"backup_at": NOW - timedelta(hours=1)}, "backup-made", DONE,
         "A backup was made 1 hour ago.", ""),
        ({"backup_at": NOW - timedelta(minutes=59)}, "backup-made", DONE,
         "A backup was made within the last hour.", ""),
        ({"backup_at": NOW + timedelta(hours=2)}, "backup-made", DONE,
         "A backup was made within the last hour.", ""),
        ({"backup_at": NOW - timedelta(hours=47)}, "backup-made", OPEN,
         "The last backup was made 47 hours ago.", BACKUP),
        ({"backup_at": NOW - timedelta(hours=48)}, "backup-made", OPEN,
         "The last backup was made 2 days ago.", BACKUP),
        ({}, "nobody-at-work", DONE, "Nobody else is at work on the books.", ""),
        ({"at_work": ("ben sends 2026-10", "Ana is closing 2026-10-B")}, "nobody-at-work", OPEN,
         "Others are at work: ben sends 2026-10; Ana is closing 2026-10-B.",
         "Let them end, or ask them."),
    ],
)  # fmt: skip
def test_each_line_is_a_sentence_and_what_is_open_says_what_to_do(found, item, mark, says, remedy):
    line = of(replace(READY, **found), ChecklistItem(item))

    assert (mark, says, remedy) == (line.mark, line.says, line.remedy)


def test_an_office_with_backups_of_its_own_is_asked_and_not_told_off():
    facts = replace(READY, backup_at=None)

    line = of(facts, ChecklistItem.BACKUP_MADE, hours=0)

    assert (ASKED, "A yes says that the office has made its own backup.", "") == (
        line.mark,
        line.says,
        line.remedy,
    )


def test_what_is_open_stops_a_close_only_where_the_office_insists_on_it():
    lines = list_checklist(replace(READY, backup_at=None, in_doubt=1), backup_hours=24)

    require_done(lines, ())
    require_done(lines, (ChecklistItem.NOBODY_AT_WORK,))
    with pytest.raises(Refused) as stopped:
        require_done(lines, (ChecklistItem.BACKUP_MADE,))
    assert "checklist-open" == stopped.value.code
    assert (
        "The checklist of the close is open. backup-made: No backup is known. "
        f"{BACKUP} (checklist.must_be_done)"
    ) == stopped.value.message
