"""What every way of the feed keeps to: the folder and the web service."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from billing_system.feed.folder import FolderFeed
from billing_system.feed.port import FeedSource
from billing_system.feed.rest import RestFeed
from billing_system.feed.sandbox_service import BillingFaults, SandboxBillingServer
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.feeds import Acknowledgement, Choice, FeedMovement
from tests.billing_system.feed.builders import A_PAYMENT, a_movement, at, write_feed
from tests.billing_system.feed.services import a_billing_system

CHOICE = Choice(12, "01.1037.1", "ebill", "yes", at("2026-11-10T15:00"), "portal: ann@example.com")


@dataclass
class Counter:
    """A feed, and the clerk of the billing system on its other side."""

    source: FeedSource
    write: Callable[[int], None]  # a file of one payment, under a number
    told: Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["folder", "rest"])
def counter(request, tmp_path) -> Iterator[Counter]:
    with ExitStack() as opened:
        if request.param == "folder":
            yield _folder(tmp_path / "feed")
            return
        server = opened.enter_context(a_billing_system(tmp_path, token="secret"))
        source = RestFeed(server.url, SecretStr("secret"), seconds=5)
        opened.callback(source.close)
        yield Counter(source, lambda number: _write(server, number), lambda: _taken(server))


def _folder(folder: Path) -> Counter:
    def write(number: int) -> None:
        row = (f"BS{number:08d}", *A_PAYMENT[1:])
        heading = f"sequence = {number}\nwritten_at = 2026-11-10T17:00:00\n"
        write_feed(folder / f"night-{number}", row, heading=heading)

    def told() -> list[dict[str, Any]]:
        files = sorted((folder / "out").glob("*.csv"))
        return [row for file in files for row in csv.DictReader(file.open(encoding="utf-8"))]

    folder.mkdir()
    return Counter(FolderFeed(folder), write, told)


def _write(server: SandboxBillingServer, number: int) -> None:
    server.books.book({
        "account_number": "01.1037.1", "date": "2026-11-10", "type": "payment", "amount": "-40.00"
    })  # fmt: skip
    assert number == server.books.write_file(datetime(2026, 11, 10, 17))


def _taken(server: SandboxBillingServer) -> list[dict[str, Any]]:
    return [row | {"account_number": row["account"]} for row in server.books.choices()]


def movements(source: FeedSource, after: int | None = None) -> list[FeedMovement]:
    return [one for file in source.new_files(after) for one in file.movements]


def test_what_was_written_is_read_in_its_order(counter):
    counter.write(1)
    counter.write(2)

    files = list(counter.source.new_files(None))

    expected = [a_movement("BS00000001"), a_movement("BS00000002")]
    assert expected == [one for file in files for one in file.movements]
    assert [1, 2] == [file.sequence for file in files]
    assert {datetime(2026, 11, 10, 17)} == {file.written_at for file in files}


def test_what_is_in_the_books_does_not_come_again(counter):
    counter.write(1)
    for file in counter.source.new_files(None):
        counter.source.mark_taken_in(file)
    counter.write(2)

    assert ["BS00000002"] == [one.movement_id for one in movements(counter.source, after=1)]


def test_nothing_new_is_nothing(counter):
    assert [] == movements(counter.source)


def test_a_choice_reaches_the_other_side_once_however_often_it_is_told(counter):
    counter.source.tell([CHOICE])
    counter.source.tell([CHOICE])

    told = counter.told()

    assert [("01.1037.1", "ebill", "yes")] == [
        (one["account_number"], one["field"], one["value"]) for one in told
    ]
    assert ["12"] == [str(one["id"]) for one in told]


# -- of the folder alone --------------------------------------------------------------------------


def test_what_is_still_being_written_is_left_alone(tmp_path):
    write_feed(tmp_path / ".night-1", A_PAYMENT)
    write_feed(tmp_path / "night-2.part", A_PAYMENT)
    write_feed(tmp_path / "out", A_PAYMENT)

    assert [] == movements(FolderFeed(tmp_path))


def test_tables_may_lie_in_the_folder_itself(tmp_path):
    write_feed(tmp_path, A_PAYMENT)

    assert [a_movement()] == movements(FolderFeed(tmp_path))


def test_tables_in_the_folder_itself_hide_nothing_and_are_put_away(tmp_path):
    write_feed(tmp_path, A_PAYMENT, acknowledgements=[("id", "state"), ("1", "taken")])
    write_feed(tmp_path / tmp_path.name, ("M2", *A_PAYMENT[1:]))  # of its folder's name, too
    (tmp_path / "movements-late.csv").write_bytes((tmp_path / "movements.csv").read_bytes())
    source = FolderFeed(tmp_path)

    files = list(source.new_files(None))
    for file in files:
        source.mark_taken_in(file)

    assert [1, 1, 1] == [len(file.movements) for file in files]
    assert [()] * 3 == [file.unused for file in files]
    assert ["taken-in"] == [one.name for one in tmp_path.iterdir()]
    assert 3 == len(list((tmp_path / "taken-in").iterdir()))


def test_a_file_that_comes_again_lies_beside_the_first(tmp_path):
    source = FolderFeed(tmp_path)
    for _ in range(3):
        write_feed(tmp_path / "night-1", A_PAYMENT)
        (file,) = source.new_files(None)
        source.mark_taken_in(file)

    assert 3 == len(list((tmp_path / "taken-in").iterdir()))
    assert [] == movements(source)


@pytest.mark.parametrize("place", ["", "night-1"])
def test_what_is_written_anew_after_it_was_read_is_read_once_more(tmp_path, place):
    source = FolderFeed(tmp_path)
    write_feed(tmp_path / place, A_PAYMENT)
    (file,) = source.new_files(None)
    write_feed(tmp_path / place, ("M2", *A_PAYMENT[1:]))

    source.mark_taken_in(file)

    assert ["M2"] == [one.movement_id for one in movements(source)]


def test_a_folder_that_is_not_there_is_a_failure_of_the_moment(tmp_path):
    with pytest.raises(TemporaryFailure):
        movements(FolderFeed(tmp_path / "not-mounted"))


def test_a_broken_file_holds_nobody_up(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK nothing")
    write_feed(tmp_path / "night-2", A_PAYMENT)
    read = []

    with pytest.raises(Exception, match=r"a\.zip"):
        read.extend(FolderFeed(tmp_path).new_files(None))
    source = FolderFeed(tmp_path).new_files(None)

    assert (a_movement(),) == next(source).movements


# -- of the service alone -------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path) -> Iterator[SandboxBillingServer]:
    with a_billing_system(tmp_path) as server:
        yield server


@pytest.fixture
def feed(service) -> Iterator[RestFeed]:
    source = RestFeed(service.url, SecretStr(""), seconds=5)
    yield source
    source.close()


def set_faults(service: SandboxBillingServer, **faults: Any) -> None:
    httpx.put(f"{service.url}/faults", json=faults).raise_for_status()


def test_files_come_in_order_and_once_whatever_the_service_does(service, feed):
    _write(service, 1)
    _write(service, 2)
    set_faults(service, backwards=True, doubled=True)

    assert [1, 2] == [file.sequence for file in feed.new_files(None)]


def test_a_file_that_did_not_arrive_whole_is_fetched_again(service, feed):
    _write(service, 1)
    set_faults(service, damages=1)

    with pytest.raises(TemporaryFailure, match="did not arrive whole"):
        movements(feed)
    assert 1 == len(movements(feed))


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"movement_id,amount\n"])
def test_what_is_no_zip_is_named_by_its_number_and_asked_for_again(feed, monkeypatch, content):
    pages = httpx.MockTransport(
        lambda asked: (
            httpx.Response(200, json={"files": [7]})
            if asked.url.path == "/feed"
            else httpx.Response(200, content=content)
        )
    )
    monkeypatch.setattr(feed, "_client", httpx.Client(base_url="https://x", transport=pages))

    with pytest.raises(TemporaryFailure) as failed:
        list(feed.new_files(None))

    assert "what the feed gave for file 7 is no .zip" == str(failed.value)


def test_a_choice_whose_answer_was_lost_is_in_doubt_and_told_again(service, feed):
    set_faults(service, lose_answers=1)

    with pytest.raises(OutcomeUnknown):
        feed.tell([CHOICE])

    assert [Acknowledgement(12, is_taken=True)] == feed.tell([CHOICE])
    assert 1 == len(service.books.choices())


def test_a_refusal_comes_with_its_reason_and_a_slow_yes_later(service, feed):
    set_faults(service, refuses=["phone"], slow_to_take=True)
    phone = Choice(13, "01.1037.1", "phone", "555-0100", CHOICE.at, "portal")

    said = feed.tell([CHOICE, phone])
    waiting = feed.ask([CHOICE])
    httpx.post(f"{service.url}/decisions", json={}).raise_for_status()

    assert [(13, False, "phone is not for customers to change")] == [
        (one.number, one.is_taken, one.reason) for one in said
    ]
    assert ([], [Acknowledgement(12, is_taken=True)]) == (waiting, feed.ask([CHOICE]))


def test_a_service_that_is_down_is_a_failure_of_the_moment(service, feed):
    set_faults(service, down=True)

    with pytest.raises(TemporaryFailure):
        movements(feed)
    with pytest.raises(OutcomeUnknown):
        feed.tell([CHOICE])


@pytest.mark.parametrize("faults", [[], {"later": True}, {"down": "yes"}, {"damages": "1"}])
def test_faults_that_are_none_are_refused(service, faults):
    assert 400 == httpx.put(f"{service.url}/faults", json=faults).status_code
    assert BillingFaults() == service.plan.faults
