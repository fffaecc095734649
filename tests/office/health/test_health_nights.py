"""Health of the nights: rounds that nobody goes, and events that a Prefect server lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from office.health.nights import lost_events, silent_rounds
from office.rounds.looks import RoundLook
from office.rounds.rounds import Looked, note_look
from office.settings.close import PrefectSettings
from tests.office.health_builders import looking, troubles

AT = "2026-11-03T06:00"


def looked(database, at, name="send-mail", minutes=1) -> None:
    note_look(database, RoundLook(name, minutes, "", lambda *_: ""), Looked(name), at)


@pytest.mark.parametrize(
    ("minutes", "ago", "expected"),
    [
        pytest.param(1, timedelta(minutes=4), [], id="a machine that starts again"),
        pytest.param(1, timedelta(minutes=6), ["rounds-silent/send-mail"], id="by the minute"),
        pytest.param(15, timedelta(minutes=40), [], id="by the quarter, not yet"),
        pytest.param(15, timedelta(minutes=50), ["rounds-silent/send-mail"], id="by the quarter"),
    ],
)
def test_looks_that_do_not_happen_are_a_trouble_after_three(
    tmp_path, database, minutes, ago, expected
):
    now = looking(tmp_path, database, AT)
    looked(database, now.now - ago, minutes=minutes)

    assert expected == troubles(silent_rounds(now))


def test_a_rehearsed_time_to_come_expects_no_looks_of_the_hours_until_then(tmp_path, database):
    on_the_machine = datetime(2026, 10, 31, 12, tzinfo=UTC)
    now = looking(tmp_path, database, AT, wall=lambda: on_the_machine)
    looked(database, on_the_machine - timedelta(minutes=4), "send-mail")
    looked(database, on_the_machine - timedelta(minutes=6), "retry-postings")

    assert ["rounds-silent/retry-postings"] == troubles(silent_rounds(now))


def test_where_nothing_ever_went_round_nothing_is_missed(tmp_path, database):
    assert ["not-watched"] == [one.state for one in silent_rounds(looking(tmp_path, database, AT))]


def test_where_the_office_wants_no_rounds_nothing_is_missed(tmp_path, database):
    now = looking(tmp_path, database, AT, prefect=PrefectSettings(schedules=False))
    looked(database, now.now - timedelta(days=1))

    assert [] == troubles(silent_rounds(now))


@pytest.mark.parametrize("beside", [False, True], ids=["our own server", "a server beside"])
def test_events_that_could_not_be_written_are_told_until_a_person_has_looked(
    tmp_path, database, monkeypatch, beside
):
    server = tmp_path / ("var" if beside else "prefect")
    if beside:
        monkeypatch.setenv("PREFECT_HOME", str(server))
    now = looking(tmp_path, database, AT)
    letters = server / "dlq"

    never = lost_events(now)
    letters.mkdir(parents=True)
    (letters / "one").write_text("{}")
    lost = lost_events(now)
    (letters / "one").unlink()

    assert ([], ["events-lost"], []) == (
        troubles(never),
        troubles(lost),
        troubles(lost_events(now)),
    )
    assert "could not write 1 event;" in lost[0].detail
    assert str(letters) in lost[0].remedy
