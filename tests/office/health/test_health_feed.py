"""The health of the billing system's feed."""

from __future__ import annotations

from datetime import UTC, datetime

from office.health.feed import stale_feed
from office.settings.money import FeedSettings
from tests.billing_system.feed.builders import tell_change
from tests.builders import a_household, close_run, stage_run
from tests.office.health_builders import looking, troubles

WRITTEN = datetime(2026, 11, 12, 1, tzinfo=UTC)  # the evening of the 11th
FED = {"feed": FeedSettings(max_age=24)}


def a_month_with_a_feed(database) -> None:
    stage_run(database, a_household("1"))
    close_run(database)
    tell_change(database, "phone", "555 0100", WRITTEN)
    with database.writing() as books:
        books.exec_driver_sql("UPDATE feed_file SET taken_in_at = written_at")


def test_a_feed_that_does_not_come_is_a_trouble_from_when_it_is_too_old(tmp_path, database):
    a_month_with_a_feed(database)

    in_time = stale_feed(looking(tmp_path, database, "2026-11-12T17:00", **FED))
    (late,) = stale_feed(looking(tmp_path, database, "2026-11-13T06:00", **FED))

    assert ([], "feed-stale") == (troubles(in_time), late.name)
    assert datetime(2026, 11, 13, 1, tzinfo=UTC) == late.since
    assert late.command.endswith(" feed")


def test_an_office_without_a_feed_is_not_watched(tmp_path, database):
    a_month_with_a_feed(database)

    found = stale_feed(looking(tmp_path, database, "2026-11-30T06:00"))

    assert ["not-watched"] == [one.state.value for one in found]


def test_a_number_that_is_missing_is_a_trouble_though_nobody_watches_the_age(tmp_path, database):
    a_month_with_a_feed(database)
    tell_change(database, "phone", "555 0101", WRITTEN)
    with database.writing() as books:
        books.exec_driver_sql("UPDATE feed_file SET taken_in_at = written_at")
        books.exec_driver_sql("UPDATE feed_file SET sequence = 2 * number")

    (found,) = stale_feed(looking(tmp_path, database, "2026-11-12T06:00"))

    assert "file 3 of the feed never came" in found.detail
