"""A close taken back, as the clerk does it, and the same period closed again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from tests.corrections.correcting_builders import (
    correct,
    corrected_mails,
    of,
    open_of,
    payment_of,
    small_export,
)
from tests.flows.town import ABBOTT, BAKER, COLE, IRWIN, with_household, write_town

TUESDAY, WEDNESDAY = "2026-11-03T10:00", "2026-11-04T09:00"
DEARER = (replace(IRWIN, charges="95.00"),)


@pytest.fixture
def office(closed, tmp_path):
    return closed.copied(tmp_path / "office")


def undo(office, *options, at=TUESDAY, **settings):
    return office("undo", "2026-10", "--as-of", at, "--json", *options, **settings)


def test_first_it_only_shows(office):
    before = office.files()

    shown = undo(office), undo(office, "--dry-run")

    assert [(0, "shown")] * 2 == [(one.status, one.json["status"]) for one in shown]
    assert before == office.files()
    told = shown[0].json
    assert (11, 3, "167.35", {"bill": 9}) == (
        told["taken_back"]["balances"],
        told["taken_back"]["payments"],
        told["taken_back"]["payments_amount"],
        told["stands"]["mails"],
    )


def test_a_bill_that_is_held_back_was_not_shown(office):
    before = undo(office, "--dry-run").json["taken_back"]["bills"]
    held = office("outsort", COLE.number, "--period", "2026-10", "--reason", "Read again.")

    assert 0 == held.status, held.err
    assert before - 1 == undo(office, "--dry-run").json["taken_back"]["bills"]


def test_what_can_be_taken_back_is_and_what_cannot_is_told(office):
    assert 0 == office("collect", "--as-of", "2026-11-02T12:00", "--json").status  # Irwin's

    answer = undo(office, "--yes", "--reason", "Wrong rates")

    assert (0, "undone") == (answer.status, answer.json["status"])
    (drawn,) = answer.json["stands"]["draws"]
    assert (IRWIN.number, "90.00", "succeeded") == tuple(
        drawn[name] for name in ("account", "amount", "state")
    )
    assert ["-90.00", "0.00"] == [open_of(office, one) for one in (IRWIN, ABBOTT)]
    assert "cancelled" == payment_of(office, ABBOTT)[0]
    assert ([], []) == (office.rows("bills"), office.rows("paper"))
    assert [] == list((office.home / "print").rglob("*.pdf"))
    assert (office.home / "reports" / "close-2026-10-undone-1.html").is_file()
    (act,) = [row for row in office.rows("audit") if row["action"] == "undo close"]
    assert "1 draws stand, $90.00" in act["detail"]
    assert "Wrong rates" in act["detail"]
    assert 3 == office("schedule-autopay", "2026-10", "--as-of", TUESDAY).status


def test_whoever_is_asked_for_the_yes_is_asked_for_the_reason(office, monkeypatch):
    said = iter(["y", "", "Wrong rates"])
    monkeypatch.setattr("command_line.options.is_at_terminal", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: next(said))

    answer = office("undo", "2026-10", "--as-of", TUESDAY)

    (act,) = [row for row in office.rows("audit") if row["action"] == "undo close"]
    assert (0, True, []) == (answer.status, "Wrong rates" in act["detail"], [*said]), answer.err


def test_the_period_is_closed_again_with_another_export(office, tmp_path):
    assert 0 == office("collect", "--as-of", "2026-11-02T12:00", "--json").status
    undo(office, "--yes")
    again = write_town(
        tmp_path / "again",
        with_household(replace(ABBOTT, charges="20.00"), with_household(*DEARER)),
    )

    answer = office.close(again, "--yes", as_of=WEDNESDAY)

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert ["5.00", "20.00"] == [open_of(office, one) for one in (IRWIN, ABBOTT)]
    assert ("scheduled", "20.00", "2026-11-13") == payment_of(office, ABBOTT)
    assert ("succeeded", "90.00", "2026-11-02") == payment_of(office, IRWIN)
    (text,) = corrected_mails(office, ABBOTT)
    assert "The amount is now $20.00; it was $27.35." in text
    marked = [path.name for path in (office.home / "mail").glob("bill-2026-10-2Fcorrected-*")]
    assert marked and all(ABBOTT.number in name for name in marked), "the others have their bill"
    assert [1] == [row["part"] for row in of(office, BAKER, "paper")]
    old = office.query("SELECT pdf FROM replaced_bill")
    assert all((office.home / "bills" / pdf).is_file() for (pdf,) in old)


def test_the_same_export_needs_another_yes_and_mails_nobody_twice(office, town):
    undo(office, "--yes")
    mails = len(office.rows("deliveries"))

    waiting = office.close("2026-10", as_of=WEDNESDAY)
    answer = office.close("2026-10", "--yes", as_of=WEDNESDAY)

    assert [(4, "waiting"), (0, "closed")] == [
        (one.status, one.json["status"]) for one in (waiting, answer)
    ]
    assert mails == len(office.rows("deliveries"))
    assert ("scheduled", "27.35", "2026-11-13") == payment_of(office, ABBOTT)


def test_a_corrected_bill_goes_with_its_close(office, tmp_path):
    correct(office, small_export(tmp_path / "small", replace(ABBOTT, charges="20.00")), ABBOTT,
            at="2026-11-02T15:00")  # fmt: skip

    answer = undo(office, "--yes")

    assert (1, "0.00") == (answer.json["taken_back"]["corrections"], open_of(office, ABBOTT))
    assert "1 correction goes with its bill" in answer.json["said"]
    told = " ".join(office("why", ABBOTT.number, "--period", "2026-10").out.split())
    assert "The utility-bill is split anew when the period is closed again (rule 11)" in told
    assert (
        "correction of -$7.35 by a bill that was made anew after its close, which went with its "
        "bill when the close was taken back (rule 39)" in told
    )
    assert 0 == office.close("2026-10", "--yes", as_of=WEDNESDAY).status
    assert "27.35" == open_of(office, ABBOTT)
    assert any(
        "The amount is now $27.35; it was $20.00." in text
        for text in corrected_mails(office, ABBOTT)
    )


def test_a_print_batch_that_somebody_has_is_told(office):
    for path in (office.home / "print").rglob("*.pdf"):
        path.unlink()

    answer = undo(office, "--dry-run")

    assert ["print/2026-10/utility-bill-0.pdf"] == answer.json["stands"]["print_files"]
    assert [] == answer.json["taken_back"]["print_files"]


def test_a_print_file_that_somebody_changed_is_told_and_not_marked_as_fetched(office):
    file = office.home / "print/2026-10/utility-bill-0.pdf"
    written = file.read_bytes()
    file.write_bytes(written + b"\n")

    refused = office("print", "2026-10", "--fetched", "--json")
    told = office("print", "2026-10", "--json", "--as-of", "2026-11-03T10:00")
    file.write_bytes(written)
    marked = office("print", "2026-10", "--fetched", "--json")

    assert (3, "print-file-changed") == (refused.status, refused.json["failure"]["code"])
    sentence = "print/2026-10/utility-bill-0.pdf is not as it was written: somebody changed it"
    assert sentence in refused.sentences[0]
    assert (4, [sentence]) == (told.status, told.json["parts"][0]["faults"])
    assert ["print/2026-10/utility-bill-0.pdf"] == marked.json["fetched"]


def test_a_print_file_that_is_lost_is_written_again_by_a_command(office):
    name = "print/2026-10/utility-bill-0.pdf"
    file = office.home / name
    written = file.read_bytes()
    file.unlink()
    health = office("health", "--json", "--as-of", WEDNESDAY)

    again = office("print", "2026-10", "--again", "--json")
    once_more = office("print", "--again", "--json")
    both = office("print", "--again", "--fetched")

    assert "print-files-differ/2026-10" in [
        one["name"] for one in health.json["conditions"] if one["state"] == "trouble"
    ]
    assert (0, [name], []) == (again.status, again.json["written"], again.json["others"])
    assert written == file.read_bytes()
    assert (0, []) == (once_more.status, once_more.json["written"])
    assert 2 == both.status


def test_an_undo_takes_along_what_a_kill_left_of_the_print_batch(office):
    """A file that has its name and was never listed goes, and its plan."""
    columns = "period, part, bulk, form, file, sha256, manifest_sha256"
    with closing(sqlite3.connect(office.home / "billclose.db")) as books, books:
        books.execute(
            f"INSERT INTO print_plan ({columns}, key, planned_at) "
            f"SELECT {columns}, 'print/half', written_at FROM print_batch"
        )
        books.execute("DELETE FROM print_batch")

    answer = undo(office, "--yes")

    assert ["print/2026-10/utility-bill-0.pdf"] == answer.json["taken_back"]["print_files"]
    assert [] == [path for path in (office.home / "print").rglob("*") if path.is_file()]
    assert [] == office.query("SELECT * FROM print_plan")


def test_with_four_eyes_two_people_say_yes(office, monkeypatch):
    people = {"BILLCLOSE_APPROVAL__PEOPLE": "2"}
    monkeypatch.setenv("LOGNAME", "anna")
    first = undo(office, "--yes", **people)
    same = undo(office, "--yes", **people)
    monkeypatch.setenv("LOGNAME", "ben")

    shown = office("undo", "2026-10", "--dry-run", "--as-of", TUESDAY, **people)
    second = undo(office, "--yes", **people)

    assert "anna said yes to it 2026-11-0" in shown.out
    assert ": no reason given" in shown.out
    acts = [row for row in office.rows("audit") if row["action"] in ("approve undo", "undo close")]
    assert [True] * 3 == [row["detail"].endswith("; no reason given") for row in acts]
    assert [(4, "waiting"), (3, "refused"), (0, "undone")] == [
        (one.status, one.json["status"]) for one in (first, same, second)
    ]
    assert "same-person" == same.json["failure"]["code"]
    assert ["anna", "ben"] == second.json["approved_by"]


@pytest.mark.parametrize(
    ("at", "settings"),
    [
        pytest.param("2026-11-07T08:00", {}, id="on day six"),
        pytest.param("2026-11-04T08:00", {"BILLCLOSE_UNDO__DAYS": "2"}, id="as the setting says"),
    ],
)
def test_afterwards_it_is_refused_and_nothing_changes(office, at, settings):
    before = office.files()

    answer = undo(office, "--yes", at=at, **settings)

    assert (3, "undo-too-late") == (answer.status, answer.json["failure"]["code"])
    assert before == office.files()


def test_a_refusal_lists_what_stands_and_what_is_done_about_it_instead(office):
    assert 0 == office("collect", "--as-of", "2026-11-02T12:00", "--json").status  # Irwin's

    late = undo(office, "--yes", at="2026-11-07T08:00")
    told = office("undo", "2026-10", "--as-of", "2026-11-07T08:00")

    refusal = late.json["refusal"]
    stands = refusal["stands"]
    assert ("undo-too-late", 1, "90.00", 1, "90.00", {"bill": 9}) == (
        refusal["code"],
        len(stands["draws"]),
        stands["draws_amount"],
        stands["postings"],
        stands["postings_amount"],
        stands["mails"],
    )
    assert [3, 3] == [late.status, told.status]
    for line in (
        "1 payment drawn, $90.00: a correction counts what was drawn; `billclose refund ",
        "1 posting in cash receipting, $90.00: a refund is posted there as well",
        "9 mails that left or may have left (9 bill): a correction mails a bill that is marked",
        "on paper: a correction of one goes on paper too",
        "`billclose correct ACCOUNT --period 2026-10 --bundle FOLDER` replaces one bill",
    ):
        assert line in told.out and any(line in said for said in refusal["said"])


def test_run_again_it_says_that_it_was_done(office):
    undo(office, "--yes")
    before = office.files()

    again = undo(office, "--yes")
    shown, sought = office("show", "01.1001.1"), office("find", "abbott")
    standing = office("status", "--as-of", WEDNESDAY).out

    assert (0, "undone", True) == (again.status, again.json["status"], again.json["already"])
    assert 2 == shown.status
    assert "The close of 2026-10, the only one with account 01.1001.1, was taken back" in shown.err
    assert "01.1001.1 is of 2026-10 alone, whose close was taken back" in sought.err
    assert (0, "") == (sought.status, sought.out)
    assert "The close of 2026-10 was taken back on Nov " in standing
    assert "correct the export and close it again" in standing
    assert before == office.files()
