"""A hard month by the command's door: refused, rehearsed, held, released and corrected.

The office takes in two months before for comparison, sets a check, and lives through an export
that is refused, one bill that is held and released, and one that is corrected after its draw.
Left for a release: each act is shown each time where it belongs (`tests/flows`, `corrections`,
`outsorting`, `command_line`), and `test_why_hard_month` lives through a month of the same kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from domain.money import Money
from tests.corrections.correcting_builders import small_export
from tests.flows.desk import Answer, Desk
from tests.flows.town import ABBOTT, BAKER, FROST, IRWIN, MISPRINTED, TOWN, write_town

pytestmark = [pytest.mark.slow, pytest.mark.release]
OCTOBER = "2026-10"
REASON = ("--reason", "as the council asked")
CHEAPER = replace(ABBOTT, charges="20.00")


@dataclass
class Month:
    """What the office did, by name, and what it answered."""

    desk: Desk
    folder: Path
    said: dict[str, Answer] = field(default_factory=dict)

    def act(self, name: str, *words: object, at: str = "", expected: int = 0) -> Answer:
        when = ("--as-of", f"2026-11-{at}") if at else ()
        answer = self.said[name] = self.desk(*words, *when)
        assert expected == answer.status, (name, answer.out, answer.err)
        return answer


@pytest.fixture(scope="module")
def month(prepared, server, tmp_path_factory) -> Iterator[Month]:
    folder = tmp_path_factory.mktemp("hard-month")
    rehearsing = {"BILLCLOSE_CLOCK__REHEARSAL": "true"}
    desk = Desk(prepared.copied(folder / "office").home, server.environment | rehearsing)
    lived = Month(desk, folder)
    _before_the_close(lived)
    _from_the_close_on(lived)
    yield lived


def _before_the_close(month: Month) -> None:
    act, folder = month.act, month.folder
    past = [write_town(folder / name, period=name) for name in ("2026-08", "2026-09")]
    act("history", "import", "--history", *past, "--json")
    act("set", "checks", "set", "usage-outlier", "WATER", "factor=3", *REASON, at="02T08:00")
    act("listed", "checks", "list", "usage-outlier", "--json")
    wrong, right = write_town(folder / "wrong", MISPRINTED), write_town(folder / "right", TOWN)
    rehearse = ("--dry-run", "--json", "--report")
    close = ("close", wrong, *rehearse, folder / "wrong.html")
    act("rehearsed", *close, at="02T09:00", expected=3)
    act("refused", "close", wrong, "--yes", "--json", at="02T09:10", expected=3)
    act("import", "import", right, "--replace", "--json", at="02T09:30")
    until = ("--until", "2026-12-31")
    muted = ("checks", "mute", "negative-bill", "01.1007.7", *until)
    act("mute", *muted, *REASON, at="02T09:40")
    act("muted", "checks", "muted", "--json")
    act("tried", "checks", "try", OCTOBER, "--json")
    held = ("outsort", BAKER.number, "--period", OCTOBER)
    act("held", *held, *REASON, "--json", at="02T09:45")
    act("right", "close", OCTOBER, *rehearse, folder / "right.html", at="02T10:00")


def _from_the_close_on(month: Month) -> None:
    act = month.act
    act("backup", "backup", "--to", month.folder / "office.tar.gz")
    act("closed", "close", OCTOBER, "--yes", "--json", at="02T10:10")
    act("drawn at once", "collect", "--json", at="02T10:20")
    act("undo", "undo", OCTOBER, "--dry-run", "--json", at="03T09:00")
    act("released", "release", BAKER.number, "--period", OCTOBER, "--json", at="04T09:00")
    act("undo too late", "undo", OCTOBER, "--yes", "--json", at="07T09:00", expected=3)
    for day in (10, 13):
        act(f"drawn on the {day}th", "collect", "--json", at=f"{day}T08:00")
    small = small_export(month.folder / "small", CHEAPER)
    correct = ("correct", ABBOTT.number, "--period", OCTOBER, "--bundle", small)
    act("corrected", *correct, *REASON, "--json", at="14T10:00")
    act("drawn no more", "collect", "--json", at="20T08:00")


def test_past_exports_are_taken_in_for_comparison_alone(month):
    told = month.said["history"].json

    assert ["2026-08", "2026-09"] == [row["period"] for row in told["history"]]
    assert {OCTOBER} == {row["period"] for row in month.desk.rows("bills")}


def test_a_check_that_was_set_and_one_that_was_muted_are_told(month):
    (limit,) = (
        row for row in month.said["listed"].json
        if (row["name"], row["for"]) == ("factor", "WATER")
    )  # fmt: skip
    (mute,) = month.said["muted"].json

    assert "3" == str(limit["value"]).removesuffix(".0")
    assert ("negative-bill", "01.1007.7") == (mute["check"], mute["account"])
    assert all({"check", "found", "per_1000_bills"} == set(row) for row in month.said["tried"].json)
    acts = {row["action"] for row in month.desk.rows("audit")}
    assert {"set check", "mute check"} <= acts


def test_the_wrong_export_is_refused_in_rehearsal_and_close_alike(month):
    for name in ("rehearsed", "refused"):
        told = month.said[name].json
        (found,) = (one for one in told["findings"]["must_do"] if one["check"] == "bill-amount")
        assert "bill-amount" == told["refusal"]["code"]
        assert [(BAKER.number, BAKER.name)] == [
            (one["account"], one["name"]) for one in found["accounts"]
        ]
    page = (month.folder / "wrong.html").read_text("utf-8")
    assert BAKER.name in page
    assert "Must be done today, before the yes" in page


def test_the_rehearsal_of_the_right_export_gives_the_closes_figures_to_the_cent(month):
    rehearsed, closed = month.said["right"].json, month.said["closed"].json

    for name in ("pages", "bills", "checks", "totals", "autopay", "outsorted"):
        assert rehearsed[name] == closed[name], name
    page = (month.folder / "right.html").read_text("utf-8")
    assert "Checklist before the yes" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_checklist_is_told_before_the_yes_and_kept_with_it(month):
    def stands(name):
        return {one["item"]: one["status"] for one in month.said[name].json["checklist"]}

    everything = {"payments-in": "asked", "feed-current": "done", "nobody-at-work": "done"}
    assert everything | {"backup-made": "open"} == stands("right")
    assert everything | {"backup-made": "done"} == stands("closed")
    assert "No backup is known." in month.said["right"].err


def test_the_held_bill_is_in_no_figure_until_it_is_released(month):
    closed, released = month.said["closed"].json, month.said["released"].json

    assert (1, "1031.00") == (closed["outsorted"]["held"], closed["outsorted"]["amount"])
    assert "2026-11-20" == released["due_date"]
    assert [True] == [row["visible"] for row in month.desk.rows("bills", f"account={BAKER.number}")]


def test_the_undo_is_shown_on_day_two_and_refused_on_day_six(month):
    assert "undo-too-late" == month.said["undo too late"].json["failure"]["code"]
    assert 0 == month.said["undo"].status


def test_in_the_end_everybody_owes_the_truth_to_the_cent(month):
    paid = {ABBOTT.number: "27.35", FROST.number: "50.00", IRWIN.number: "90.00"}
    town = [CHEAPER if one is ABBOTT else one for one in TOWN]

    expected = {
        one.number: str(one.amount_due - Money.parse(paid.get(one.number, "0.00")))
        for one in town
        if one.account.get("status") != "closed"
    }

    assert expected == {row["account"]: row["open"] for row in month.desk.rows("balances")}
    assert 0 == month.desk("audit", "verify").status


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        (BAKER.number, "held back"),
        (BAKER.number, "released"),
        (ABBOTT.number, "corrected"),
        (IRWIN.number, "drawn at once"),
    ],
)
def test_why_tells_what_was_done_to_a_bill(month, account, sentence):
    answer = month.desk("why", account, "--as-of", "2026-11-20T10:00", "--json")

    assert [one for one in answer.json["sentences"] if sentence in one["text"]], answer.out
