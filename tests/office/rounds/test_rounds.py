"""Rounds: a flow starts where there is work, once, and what a look meets never ends them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from database.books import Database
from database.feed.tables import customer_choice
from database.schema import metadata
from database.tables import delivery, look_round, posting, service_health
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from domain.feeds import ChoiceState
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from office.clock import Clock
from office.equipment.office import Office
from office.health.work import last_good_ends
from office.procedures.feeding import look_for_feed
from office.rounds.days import day_told_at, forget_days, read_day
from office.rounds.looks import RoundLook, looks_of, why_post, why_send, why_take_in
from office.rounds.rounds import Rounds
from office.rounds.zone import ZoneFollower
from office.settings.close import PrefectSettings
from office.settings.mail import BouncesSettings
from office.settings.money import FeedSettings
from office.settings.settings import Settings
from tests.billing_system.feed.builders import A_PAYMENT, write_feed
from tests.builders import NOW, a_household, stage_run
from tests.payments.collecting_builders import a_collector, paying

A_LOOK = 0.15  # seconds of CPU at the most; 0.05 on a machine that does nothing else
MINUTE = timedelta(minutes=1)
DENVER = "America/Denver"


class Started:
    """A starter that keeps what it is told; the same key starts once, as in a Prefect server."""

    def __init__(self, failure=None):
        self.runs, self.keys, self.failure = [], set(), failure

    def start(self, deployment, name, key, now):
        if self.failure:
            raise self.failure
        if key in self.keys:
            return False
        self.keys.add(key)
        self.runs.append(deployment)
        return True


def an_office(home, database, settings=None, now=NOW) -> Office:
    office = Office(home, settings or Settings(), Clock(lambda: now), "anna")
    office.__dict__["database"] = database  # the one whose connections the test looks after
    return office


@pytest.fixture
def office(database, tmp_path):
    return an_office(tmp_path, database)


def going(office, why, starter=None):
    looks = (RoundLook("send-mail", 1, "mails", why),)
    return Rounds(office, starter or Started(), looks)


def alert(office) -> None:
    message = PlannedMessage(MessageKind.ALERT, "down", "ann@example.org", form="down")
    with office.database.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain="example.org")


def test_an_office_at_rest_starts_nothing_and_notes_that_its_work_was_looked_at(office):
    rounds = Rounds(office, Started(), tuple(one for one in looks_of(office) if one.minutes == 1))

    looked = [rounds.go(NOW + number * MINUTE) for number in range(3)]

    assert [] == rounds.starter.runs
    assert [2, 2, 2] == [len(some) for some in looked]
    ends = last_good_ends(office.database)
    assert {"retry-postings", "send-mail"} == set(ends)
    assert [("retry-postings", 3, 0, 0, 60), ("send-mail", 3, 0, 0, 60)] == [
        (one.look, one.looks, one.starts, one.failures, one.longest_gap_seconds)
        for one in read_day(office.database, NOW.date())
    ]


def rows_in_all(office):
    with office.database.reading() as books:
        tables = metadata.sorted_tables
        count = sa.select(sa.func.count())
        return {one.name: books.scalar(count.select_from(one)) for one in tables}


def rounds_of(office):
    with office.database.reading() as books:
        return books.execute(sa.select(look_round)).all()


def test_twenty_minutes_at_rest_start_nothing_keep_nothing_and_take_little_time(office):
    rounds = Rounds(office, Started(failure=AssertionError("nothing is to be started")))
    looked = len(rounds.go(NOW))  # the first time much is loaded
    kept, began = rows_in_all(office), time.process_time()

    looked += sum(len(rounds.go(NOW + number * MINUTE)) for number in range(1, 20))

    assert 20 + 20 + 4 == looked
    assert kept == rows_in_all(office)
    assert {"reason": {""}, "failures": {0}, "starts": {0}} == {
        "reason": {one.last_reason for one in rounds_of(office)},
        "failures": {one.failures for one in read_day(office.database, NOW.date())},
        "starts": {one.starts for one in read_day(office.database, NOW.date())},
    }
    assert A_LOOK > (time.process_time() - began) / (looked - 3)


def test_what_an_office_looks_at_follows_its_settings(office, database, tmp_path):
    reads = Settings(
        bounces=BouncesSettings(source="maildir:/b"), feed=FeedSettings(folder="inbox")
    )
    silent = Settings(prefect=PrefectSettings(schedules=False))

    names = [one.deployment for one in looks_of(an_office(tmp_path, database, settings=reads))]

    always = ["retry-postings", "send-mail", "health-watch"]
    assert [*always, "process-bounces", "take-in-feed"] == names
    assert () == looks_of(an_office(tmp_path, database, settings=silent))
    assert [] == [one.minutes for one in looks_of(office) if 60 % one.minutes]


def test_a_mail_that_is_due_starts_one_run_and_two_machines_start_one(office):
    alert(office)
    starter = Started()
    machines = [going(office, why_send, starter) for _ in range(2)]

    looked = [
        machine.go(NOW + timedelta(seconds=number)) for number, machine in enumerate(machines)
    ]

    assert ["send-mail"] == starter.runs
    assert [True, False] == [one.started for (one,) in looked]
    assert ["mails are due"] * 2 == [one.reason for (one,) in looked]


@pytest.fixture
def fed(database, tmp_path) -> Office:
    """An office whose billing system writes its feed into a folder."""
    (tmp_path / "inbox").mkdir()
    return an_office(tmp_path, database, Settings(feed=FeedSettings(folder="inbox")))


def look_at_feed(office: Office, starter: Started):
    looks = tuple(one for one in looks_of(office) if one.deployment == "take-in-feed")
    (looked,) = Rounds(office, starter, looks).go(NOW)
    return looked


def test_a_file_of_the_feed_is_work_until_it_is_taken_in(fed):
    stage_run(fed.database, a_household())
    before = why_take_in(fed, NOW)
    write_feed(fed.home / "inbox" / "night-1", A_PAYMENT)
    came = why_take_in(fed, NOW)

    look_for_feed(fed)

    assert ("", "files of the feed have come", "") == (before, came, why_take_in(fed, NOW))


def test_a_folder_that_is_itself_the_feed_is_work_once(fed):
    stage_run(fed.database, a_household())
    write_feed(fed.home / "inbox", A_PAYMENT)
    came = why_take_in(fed, NOW)

    look_for_feed(fed)

    assert ("files of the feed have come", "") == (came, why_take_in(fed, NOW))


def test_a_file_of_the_feed_that_cannot_be_read_starts_its_flow_and_ends_no_rounds(fed):
    (fed.home / "inbox" / "night.zip").write_text("no archive")
    starter = Started()

    looked = look_at_feed(fed, starter)

    assert (["take-in-feed"], False) == (starter.runs, looked.failed)
    assert "a file of the feed cannot be taken in" == looked.reason


def test_a_folder_that_is_not_there_is_met_by_the_flow(fed):
    (fed.home / "inbox").rmdir()
    starter = Started()

    looked = look_at_feed(fed, starter)

    assert (["take-in-feed"], True) == (starter.runs, looked.failed)


def test_a_choice_of_a_customer_that_is_to_be_told_is_work(fed):
    values = {"account_key": "1", "account": "1", "field": "ebill", "value": "yes", "by": "bob"}
    due = {"at": NOW, "state": ChoiceState.WAITING, "next_try_at": NOW}
    with fed.database.writing() as books:
        books.execute(customer_choice.insert().values(values | due))

    assert "choices of customers are to be told" == why_take_in(fed, NOW)
    assert "" == why_take_in(fed, NOW - MINUTE)


def test_a_mail_of_a_sender_that_is_gone_is_work(office):
    alert(office)
    with office.database.writing() as books:
        books.execute(
            delivery.update().values(
                status=DeliveryStatus.SENDING, lease_owner="host|1|2|3", lease_until=NOW
            )
        )

    assert "a sender was interrupted" == why_send(office, NOW)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        pytest.param({}, False, id="well"),
        pytest.param({"next_probe_at": NOW}, True, id="to be probed"),
        pytest.param({"next_probe_at": NOW + MINUTE}, False, id="to be probed later"),
        pytest.param({"down_since": NOW - 5 * MINUTE}, True, id="down and untold"),
        pytest.param({"down_since": NOW - MINUTE}, False, id="down, and maybe back at once"),
        pytest.param({"down_since": NOW - 5 * MINUTE, "told_down_at": NOW}, False, id="told"),
        pytest.param({"told_down_at": NOW}, True, id="back and untold"),
    ],
)
def test_a_silent_service_is_work_when_it_is_to_be_tried_or_told_of(office, health, expected):
    row = {"service": office.cash_receipting.name, "failures": 3, "probes": 0} | health
    with office.database.writing() as books:
        books.execute(service_health.insert().values(row))

    assert expected == bool(why_post(office, NOW))


def test_a_posting_that_is_due_is_work(database, tmp_path):
    collector = a_collector(database, tmp_path, paying("1"))
    collector.collect()
    office = an_office(tmp_path, database, now=collector.at)

    due = why_post(office, collector.at)
    with database.writing() as books:
        books.execute(posting.update().values(next_retry_at=collector.at + MINUTE))

    assert ("payments are to be posted", "") == (due, why_post(office, collector.at))


def test_a_look_that_fails_starts_its_flow_and_the_rounds_go_on(office):
    def fails(_here, _now):
        raise ZeroDivisionError

    rounds = going(office, fails)

    looked = [rounds.go(NOW)[0], rounds.go(NOW + MINUTE)[0]]

    assert ["send-mail"] * 2 == rounds.starter.runs
    assert [(True, True)] * 2 == [(one.started, one.failed) for one in looked]
    assert 2 == read_day(office.database, NOW.date())[0].failures
    assert {} == last_good_ends(office.database)


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (TemporaryFailure("feed is not there or no folder"), "feed is not there or no folder"),
        (PermanentFailure("the feed has no key"), "the feed has no key"),
        (ConnectionRefusedError(111, "x"), "connection refused"),
        (RuntimeError("ann@customers.example"), "without saying why"),
    ],
)
def test_a_look_that_fails_says_why_where_the_words_are_ours(office, failure, why):
    def fails(_here, _now):
        raise failure

    (looked,) = going(office, fails).go(NOW)

    assert f"the look failed ({why})" == looked.reason


def test_a_server_that_is_away_is_asked_again_at_the_next_look(office):
    alert(office)
    starter = Started(TemporaryFailure("no answer"))
    rounds = going(office, why_send, starter)

    away = rounds.go(NOW)
    starter.failure = None
    back = rounds.go(NOW + MINUTE)

    assert (True, False) == (away[0].failed, away[0].started)
    assert (False, True) == (back[0].failed, back[0].started)


def test_books_that_are_away_end_nothing_that_goes_round(office, tmp_path):
    """A missing file stands for a server that was stopped: every act upon it fails."""
    away = Database(f"sqlite:///{tmp_path / 'none' / 'books.db'}")
    office.__dict__["database"] = away
    rounds = going(office, why_send)

    looked = rounds.go(NOW)
    moved = ZoneFollower(office).follow()
    away.close()

    assert [("send-mail", True)] == [(one.deployment, one.failed or one.started) for one in looked]
    assert 0 == moved


def test_wrong_settings_end_the_rounds(office):
    def wrong(_here, _now):
        raise Misuse("bounces.source is no Maildir")

    with pytest.raises(Misuse):
        going(office, wrong).go(NOW)


def test_looks_that_a_sleeping_machine_missed_are_not_made_up_for(office):
    rounds = going(office, lambda _here, _now: "")

    rounds.go(NOW)
    many = [rounds.go(NOW + timedelta(hours=9)), rounds.go(NOW + timedelta(hours=9, seconds=1))]

    assert [1, 0] == [len(some) for some in many]
    assert 9 * 3600 == read_day(office.database, NOW.date())[0].longest_gap_seconds


def test_each_of_the_utilitys_days_counts_by_itself_and_is_told_of(database, tmp_path):
    stage_run(database, a_household())  # of Denver: the day ends at 6 or 7 in UTC
    rounds = going(an_office(tmp_path, database), lambda _office, _now: "")
    evening = datetime(2026, 11, 3, 6, 50, tzinfo=UTC)

    rounds.go(evening)
    rounds.go(evening + timedelta(minutes=30))

    (first,), (second,) = (read_day(database, date(2026, 11, day)) for day in (2, 3))
    assert (1, 1) == (first.looks, second.looks)
    assert date(2026, 11, 2) == day_told_at(evening + timedelta(minutes=5), DENVER)
    assert date(2026, 11, 2) == day_told_at(evening + timedelta(hours=8), DENVER)
    assert 1 == forget_days(database, date(2026, 11, 3) + timedelta(days=400))
