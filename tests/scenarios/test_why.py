"""
A month of the demo's town: no event of it without a sentence that says why.

Every run lives its first days; the rest of the month, with its reminders, is for a release.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.identity import Role
from office.equipment.office import Office
from office.lookup.why.problems import exception_key
from office.procedures.exceptions import select_exceptions
from tests.flows.desk import Answer, Desk
from tests.release import so_many
from tests.scenarios.explained import EVENTS, SELDOM, Told, silent_events, tell_all

ACCOUNTS = 80
DAYS = so_many(4, release=19)  # until an answer is lost; until the day after the due date
AS_OF = datetime(2026, 11, 21, 12)
REMINDED = ("payment-due", "past-due")


@pytest.fixture(scope="module")
def lived(server, tmp_path_factory) -> tuple[Desk, Answer]:
    """The demo's town, closed, with its November lived through."""
    town = Desk(tmp_path_factory.mktemp("month") / "office", server.environment)
    done = town("demo", "--accounts", ACCOUNTS, "--days", DAYS)
    assert 0 == done.status, done.err
    return town, done


@pytest.fixture(scope="module")
def month(lived) -> Desk:
    """The same after somebody asked at the counter for two things more."""
    town, _ = lived
    (owing, *_), (enrolled, *_) = (
        [row["account"] for row in town.rows(what)] for what in ("paper", "enrollments")
    )
    words = ("--reason", "asked at the counter", "--as-of", "2026-11-21T10:00")
    assert 0 == town("hold", "place", owing, "--until", "2026-12-01", *words).status
    assert 0 == town("autopay", "cancel", enrolled, "--yes", *words).status
    return town


@pytest.fixture(scope="module")
def office(month) -> Iterator[Office]:
    from office.clock import Clock
    from office.settings.settings import read_settings

    settings = read_settings(month.home)
    clock = Clock(lambda: datetime(2026, 11, 21, 19, tzinfo=UTC), AS_OF)
    opened = Office(month.home, settings, clock, "anna")
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def told(office) -> Told:
    """Every account's sentences by what they are about."""
    return tell_all(office)


@pytest.mark.parametrize(
    "happened",
    [
        *("movements from the feed", "drawn, $", "returned by the bank", "without an answer"),
        *("receipts and notices", "mail came back"),
        *(pytest.param(f"{kind} mail", marks=pytest.mark.release) for kind in REMINDED),
    ],
)
def test_the_demo_tells_what_happens_in_a_month(lived, happened):
    _, told = lived

    assert any(happened in line for line in told.err.splitlines() if line.startswith("  "))


def test_the_demo_ends_with_six_places_and_what_waits_for_a_person(lived):
    town, told = lived

    places, _, waiting = told.out.partition("Where to look:")[2].partition(
        "What waits for a person:"
    )
    paths = [Path(word) for word in places.split() if word.startswith(f"{town.home}/")]

    assert 4 == len(paths) == sum(path.is_file() for path in paths)
    assert {" up ", " web "} <= {word for word in (" up ", " web ") if word in places}
    kinds = dict.fromkeys(line.split()[1] for line in waiting.split("\n") if line)
    assert ["bill", "payment", "mail"] == list(kinds)


def test_the_demo_has_staff_of_each_role_and_a_held_bill(lived):
    town, _ = lived

    assert {role.value for role in Role} == {row["role"] for row in town.rows("staff")}
    assert ["01.1851.3"] == [row["account"] for row in town.rows("outsorted")]


@pytest.mark.release
def test_the_answer_that_was_lost_is_found_before_the_month_is_over(lived):
    town, _ = lived

    assert [] == town.rows("unknown-payments")
    assert [("succeeded",)] == town.query(
        "SELECT state FROM gateway_payment WHERE method_token = 'tok_lost_response'"
    )


def test_the_demo_left_out_no_work_of_its_nights(lived):
    town, told = lived
    last = re.search(r"--as-of (\S+)", told.out)[1]

    watched = town("health", "--as-of", last, "--json").json["conditions"]

    assert ["well"] == [one["state"] for one in watched if one["name"] == "work-missed"]


def test_what_the_demo_draws_comes_back_by_its_feed_and_counts_once(lived):
    town, _ = lived

    drawn = town.query("SELECT DISTINCT source FROM balance_entry WHERE told_at IS NOT NULL")

    assert {("draw",), ("feed",)} <= set(drawn)


@pytest.mark.parametrize("kind", EVENTS)
def test_no_event_of_the_month_is_without_its_sentence(month, told, kind):
    assert [] == silent_events(month, told, kind)
    assert kind in SELDOM or month.query(EVENTS[kind])


def test_no_exception_is_without_its_sentence(office, told):
    with office.database.reading() as books:
        rows = books.execute(select_exceptions(office)).all()

    assert [] == [row for row in rows if row._account_key and not told[row._account_key].get(
        exception_key(row))]  # fmt: skip
    assert rows


def test_everybody_hears_of_each_reminder_why_it_came_or_did_not(month, told):
    steps = [f"reminder/2026-10/{kind}" for kind in REMINDED]

    owing = month.query("SELECT account_key FROM balance_due WHERE period = '2026-10'")

    assert [] == [key for (key,) in owing if not all(told[key].get(step) for step in steps)]


@pytest.mark.release
def test_a_reminder_that_went_has_no_reason_for_none(month, told):
    sent = month.query(
        "SELECT DISTINCT account_key, kind FROM delivery WHERE kind IN ('payment-due', 'past-due')"
    )

    said = {told[key][f"reminder/2026-10/{kind}"].split(" mail")[0] for key, kind in sent}

    assert {"The payment-due", "The past-due"} == said


def test_every_enrolled_account_hears_of_its_payment_or_of_none(month, told):
    """Rule 82."""
    enrolled = month.query("SELECT DISTINCT account_key FROM mandate WHERE active")

    silent = [
        key
        for (key,) in enrolled
        if not any(about.startswith(("schedule/", "unscheduled/")) for about in told[key])
    ]

    assert [] == silent


def test_every_rule_that_a_sentence_names_is_in_the_rule_book(told):
    book = tomllib.loads((Path(__file__).parents[2] / "docs" / "rules.toml").read_text("utf-8"))
    rulings = {f"ruling {number}" for number in book.pop("rulings")}
    known = rulings | {number for section in book.values() for number in section}

    said = "".join(text for found in told.values() for text in found.values())
    numbered = re.findall(r"\(rules? ([\d, ]+)", said)
    named = {one for found in numbered for one in found.split(", ")}

    assert set() == (named | set(re.findall(r"ruling \d+", said))) - known
    assert len(named) > 30
