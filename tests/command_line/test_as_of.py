"""A time of one's own: it acts in homes for rehearsals alone, and is marked."""

from __future__ import annotations

import json

import pytest

from tests.builders_export import write_export

TIME = "2026-11-02T09:00"


@pytest.fixture
def own(desk, monkeypatch):
    """An office's own home, which is none for rehearsals."""
    monkeypatch.delenv("BILLCLOSE_CLOCK__REHEARSAL", raising=False)
    return desk


@pytest.mark.parametrize(
    "command",
    [
        ("import", "export"),
        ("close", "export", "--yes"),
        ("check", "2026-10"),
        ("schedule-autopay", "2026-10"),
        ("collect",),
        ("remind",),
        ("notify",),
        ("retry-postings", "--now"),
        ("mail", "send"),
        ("approve", "2026-10"),
        ("print",),
        ("health", "--tell"),
        ("auditors-pack", "2026-10", "--to", "pack.zip"),
    ],
    ids=" ".join,
)
def test_nothing_acts_at_a_time_of_ones_own_in_an_office(own, tmp_path, command):
    write_export(tmp_path / "export")
    words = [tmp_path / "export" if word == "export" else word for word in command]
    before = own.files()

    answer = own(*words, "--as-of", TIME)

    assert 2 == answer.status
    assert "--as-of acts only in a home for rehearsals" in answer.err
    assert before == own.files()


@pytest.mark.parametrize(
    "command",
    [("list", "exceptions"), ("health",), ("remind", "--dry-run"),
     ("calendar", "2026", "--due-day", "20"), ("collect", "--dry-run"), ("approvals",)],
    ids=" ".join,
)  # fmt: skip
def test_whoever_only_looks_may_do_so_at_any_time(own, command):
    answer = own(*command, *(() if command == ("approvals",) else ("--as-of", TIME)))

    assert answer.status in (0, 4), answer.err


def test_a_home_for_rehearsals_is_made_as_such(own, tmp_path):
    write_export(tmp_path / "export")
    rehearsals = type(own)(tmp_path / "rehearsals")
    assert 0 == rehearsals("init", "--rehearsal").status

    answer = rehearsals("import", tmp_path / "export", "--as-of", TIME)

    assert 0 == answer.status, answer.err
    (row,) = rehearsals.rows("audit")
    assert ("2026-11-02T16:00", True) == (row["at"][:16], row["rehearsed"])
    assert "2026-11-02" != row["machine_at"][:10]
    # What a customer chooses on pages of that time is not older than the export.
    assert [("2026-11-02 16:00:00.000000",)] == rehearsals.query("SELECT imported_at FROM bill_run")


def test_an_offices_own_home_does_not_become_one_for_rehearsals(own):
    answer = own("init", "--rehearsal")

    assert (2, True) == (
        answer.status,
        "make a home for rehearsals in another folder" in answer.err,
    )


def test_what_is_done_at_the_machines_time_is_not_marked(own, tmp_path):
    write_export(tmp_path / "export")

    assert 0 == own("import", tmp_path / "export").status

    (row,) = json.loads(own("list", "audit", "--json").out)
    assert (row["at"][:16], False) == (row["machine_at"][:16], row["rehearsed"])
