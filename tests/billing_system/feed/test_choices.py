"""Customers' choices on their way to the billing system, by folder and by web service."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from billing_system.feed.choices import ChoiceCounts, tell_choices
from billing_system.feed.folder import FolderFeed
from billing_system.feed.port import FeedSource
from billing_system.feed.rest import RestFeed
from billing_system.feed.taking_in import FeedReport, FeedTerms, take_in_file
from database.books import Database
from database.feed.tables import feed_finding
from database.queries.exceptions import exceptions as list_exceptions
from database.queries.portal.choices import AUTOPAY, list_choices, record_choice
from tests.billing_system.feed.builders import at, write_feed
from tests.billing_system.feed.services import a_billing_system

NOW = at("2026-11-11T15:00")
TERMS = FeedTerms("City of Larkspur", "America/Denver", "anna")
ANSWERS = ("id", "state", "reason")


@dataclass
class Choices:
    """Choices in the books, and the way by which they leave."""

    database: Database
    source: FeedSource
    folder: Path = Path()
    url: str = ""

    def choose(self, account: str = "01.1", value: str = "no", name: str = AUTOPAY) -> None:
        with self.database.writing() as books:
            record_choice(books, account, {name: value}, now=NOW, by="ana@example.org")

    def tell(self, after: timedelta = timedelta(0)) -> ChoiceCounts:
        return tell_choices(self.database, self.source, NOW + after, "anna")

    def say(self, *answers: tuple[str, str, str]) -> FeedReport:
        write_feed(self.folder / "answers", acknowledgements=[ANSWERS, *answers])
        (file,) = self.source.new_files(None)
        return take_in_file(self.database, file, TERMS, NOW)

    def fail(self, **faults: Any) -> None:
        httpx.put(f"{self.url}/faults", json=faults).raise_for_status()

    def states(self) -> list[tuple[str, str]]:
        with self.database.reading() as books:
            rows = books.execute(list_choices().order_by("id"))
            return [(str(row.state), row.reason) for row in rows]

    def exceptions(self) -> list[str]:
        with self.database.reading() as books:
            rows = books.execute(list_exceptions()).all()
            return [row.code for row in rows if row.stage == "feed"]

    def findings(self) -> list[str]:
        with self.database.reading() as books:
            return list(books.scalars(sa.select(feed_finding.c.code)))


@pytest.fixture
def by_folder(database, tmp_path):
    return Choices(database, FolderFeed(tmp_path), tmp_path)


@pytest.fixture
def by_service(database, tmp_path):
    with a_billing_system(tmp_path) as server:
        feed = RestFeed(server.url, SecretStr(""))
        yield Choices(database, feed, url=server.url)
        feed.close()


def test_a_choice_leaves_once_in_the_folder_and_is_told_until_something_is_said(by_folder):
    by_folder.choose()

    told, again = by_folder.tell(), by_folder.tell(timedelta(hours=2))

    assert (1, 0, [("told", "")]) == (told.told, again.told, by_folder.states())
    (file,) = (by_folder.folder / "out").iterdir()
    (row,) = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    assert ("1", "01.1", "autopay", "no", "ana@example.org") == tuple(
        row[name] for name in ("id", "account_number", "field", "value", "by")
    )


def test_what_the_billing_system_refuses_in_a_file_is_for_a_person_with_its_reason(by_folder):
    by_folder.choose("01.1")
    by_folder.choose("01.2")
    by_folder.tell()

    report = by_folder.say(("1", "refused", "landlord pays"), ("2", "taken", ""))

    assert [("refused", "landlord pays"), ("taken", "")] == by_folder.states()
    assert (2, ["choice-refused: The change 1 is refused: landlord pays."]) == (
        report.acknowledged, report.findings,
    )  # fmt: skip
    assert [] == by_folder.say(("1", "refused", "landlord pays")).findings  # it is known


@pytest.mark.parametrize(
    ("settle", "left"),
    [
        (lambda choices: None, ["choice-refused"]),
        (lambda choices: choices.choose("01.1", "yes"), []),
        (lambda choices: choices.say(("1", "taken", "")), []),
        (lambda choices: choices.choose("01.1", "ana@example.org", "email"), ["choice-refused"]),
    ],
    ids=["nothing", "made anew", "taken after all", "another field"],
)
def test_a_refusal_is_an_exception_until_it_is_made_anew_or_taken_after_all(
    by_folder, settle, left
):
    by_folder.choose()
    by_folder.tell()
    by_folder.say(("1", "refused", "landlord pays"))

    settle(by_folder)

    assert left == by_folder.exceptions()


def test_what_is_said_of_a_choice_that_nobody_made_is_for_a_person(by_folder):
    report = by_folder.say(("7", "taken", ""))

    assert (0, ["acknowledgement-unknown"]) == (report.acknowledged, by_folder.findings())
    assert 1 == len(report.findings)


def test_a_billing_system_that_is_down_is_asked_again_later_and_not_before(by_service):
    by_service.choose()
    by_service.fail(down=True)
    stopped = by_service.tell()
    by_service.fail()

    early, later = by_service.tell(timedelta(minutes=4)), by_service.tell(timedelta(minutes=6))

    assert (True, 1) == ("503" in stopped.stopped_by, stopped.waiting)
    assert (0, 1, [("taken", "")]) == (early.told, later.taken, by_service.states())
    with by_service.database.reading() as books:
        (row,) = books.execute(list_choices()).all()
    assert NOW + timedelta(minutes=6) == row.told_at == row.answered_at


def test_a_choice_whose_answer_was_lost_is_told_again_and_taken_once(by_service):
    by_service.choose()
    by_service.fail(lose_answers=1)

    lost, found = by_service.tell(), by_service.tell(timedelta(minutes=6))

    there = httpx.get(f"{by_service.url}/changes").json()["changes"]
    assert (1, 1, 1) == (lost.waiting, found.taken, len(there))


def test_what_is_told_and_not_taken_yet_is_asked_after_until_it_is(by_service):
    by_service.choose()
    by_service.fail(slow_to_take=True)
    by_service.tell()
    assert [("told", "")] == by_service.states()

    httpx.post(f"{by_service.url}/decisions", json={"state": "taken"}).raise_for_status()
    asked = by_service.tell(timedelta(hours=1))

    assert (1, [("taken", "")]) == (asked.taken, by_service.states())


def test_a_refusal_by_the_service_keeps_its_reason(by_service):
    by_service.choose()
    by_service.fail(refuses=["autopay"])

    counts = by_service.tell()

    assert (1, [("refused", "autopay is not for customers to change")]) == (
        counts.refused, by_service.states(),
    )  # fmt: skip
