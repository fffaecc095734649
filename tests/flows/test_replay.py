"""Past months replayed: what the office did is compared line by line, and nothing is kept."""

from __future__ import annotations

import csv
import re

import pytest

from tests.flows.desk import Desk
from tests.flows.town import MISPRINTED, TOWN, write_town

DRAFTED, MAILED = "drafts.csv", "mails.csv"


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def told(closed, tmp_path_factory):
    """The office's own October, as this town's close came out, and a September without drafts."""
    folder = tmp_path_factory.mktemp("told")
    mails = [(row["account"], row["recipient"]) for row in closed.rows("deliveries", "kind=bill")]
    drafts = [
        (row["account"], row["amount"], row["pay_date"])
        for row in closed.rows("scheduled-payments")
    ]
    write_rows(folder / "2026-10" / MAILED, ("account_number", "address"), *mails)
    write_rows(folder / "2026-10" / DRAFTED, ("account_number", "amount", "date"), *drafts)
    paper = {row["account"] for row in closed.rows("paper")}
    write_rows(
        folder / "2026-10" / "paper.csv", ("account_number",), *((one,) for one in sorted(paper))
    )
    write_rows(folder / "2026-09" / "paper.csv", ("account_number",), ("01.1002.2",))
    return folder


@pytest.fixture(scope="module")
def october(prepared, server, told, tmp_path_factory):
    """The one export of October, replayed against what the office told of two months."""
    place = tmp_path_factory.mktemp("october")
    write_town(place / "past" / "october", TOWN)
    desk = Desk(prepared.copied(place / "office").home, server.environment)
    return desk("replay", place / "past", "--against", told, "--json")


def test_a_month_that_came_out_as_here_is_alike(october):
    answer = october

    (month,) = answer.json["months"]
    assert (0, "alike", []) == (answer.status, answer.json["status"], month["differences"]), (
        answer.err
    )
    assert {"draft": 3, "mail": 9, "paper": 5} == month["alike"]


def test_each_difference_is_a_line_and_nothing_is_kept(desk, told, tmp_path):
    write_town(tmp_path / "past" / "october", TOWN)
    write_town(tmp_path / "past" / "september", TOWN, period="2026-09")
    october = tmp_path / "against" / "2026-10"
    write_rows(october / MAILED, ("account_number", "address"), ("01.1001.1", "x@y.example"))
    rows = list(csv.reader((told / "2026-10" / DRAFTED).open()))
    changed = [[*rows[1][:1], "1.00", rows[1][2]], *rows[2:]]
    write_rows(october / DRAFTED, rows[0], *changed)
    write_rows(tmp_path / "against" / "2026-09" / "paper.csv", ("account_number",), ("01.1002.2",))

    answer = desk("replay", tmp_path / "past", "--against", tmp_path / "against")

    september, october_said = answer.out.split("2026-10: ")
    assert 4 == answer.status
    assert september.startswith("2026-09: ") and "bills on paper alike" in september
    assert "not told, and not compared: mails, drafts" in september
    assert "0 mails alike, 10 not, 2 drafts alike, 1 not" in october_said
    assert f"{rows[1][0]}  here draft of" in october_said and "there draft of $1.00" in october_said
    assert "01.1001.1  here no mail; there a mail to x@y.example" in october_said
    assert answer.out.splitlines()[-1].startswith("2 months: ")
    assert [] == desk.rows("bills") == desk.rows("deliveries")


def test_a_month_that_would_be_refused_says_why_and_the_others_go_on(desk, told, tmp_path):
    write_town(tmp_path / "past" / "september", MISPRINTED, period="2026-09")
    write_town(tmp_path / "past" / "october", TOWN)

    answer = desk("replay", tmp_path / "past", "--against", told, "--json")

    september, october = answer.json["months"]
    assert 4 == answer.status
    assert "bill-amount" in september["refusal"] and september["differences"] == []
    assert (None, []) == (october["refusal"], october["differences"])


@pytest.mark.parametrize(
    ("file", "rows", "sentence"),
    [
        ("drafts.csv", [("account_number", "amount"), ("1", "x")], "drafts.csv row 2"),
        ("drafts.csv", [("account_number", "amount"), ("1", "-5.00")], "write it above zero"),
        ("drafts.csv", [("account_number", "amout"), ("1", "5.00")], "amount"),
        ("mails.csv", [("account_number",), ("1",)], "address"),
        ("draft.csv", [("account_number", "amount")], "did you mean drafts.csv?"),
        ("paper.csv", [], "2026-10: paper.csv is empty"),
        ("other.txt", [("x",)], "holds none of mails.csv, paper.csv, drafts.csv"),
    ],
)
def test_what_the_office_wrote_wrongly_is_one_sentence(desk, tmp_path, file, rows, sentence):
    write_town(tmp_path / "past" / "october", TOWN)
    write_rows(tmp_path / "against" / "2026-10" / file, *rows)

    answer = desk("replay", tmp_path / "past", "--against", tmp_path / "against")

    (said,) = answer.sentences
    assert 2 == answer.status and sentence in said


def test_a_folder_among_the_exports_that_is_none_is_named(desk, told, tmp_path):
    write_town(tmp_path / "past" / "october", TOWN)
    (write_town(tmp_path / "past" / "september", TOWN) / "bundle.toml").rename(
        tmp_path / "past" / "september" / "bundel.toml"
    )

    answer = desk("replay", tmp_path / "past", "--against", told)

    (said,) = answer.sentences
    assert 2 == answer.status and "september" in said


def test_a_month_that_the_office_told_nothing_of_and_no_export_are_said(desk, told, tmp_path):
    write_town(tmp_path / "past" / "august", TOWN, period="2026-08")
    (tmp_path / "none").mkdir()

    untold = desk("replay", tmp_path / "past", "--against", told)
    empty = desk("replay", tmp_path / "none", "--against", told)

    assert (2, 2) == (untold.status, empty.status)
    assert "has no folder 2026-08" in untold.sentences[0]
    assert "holds no export" in empty.sentences[0]


def test_two_exports_of_one_month_are_named_both(desk, told, tmp_path):
    """The second would be closed into the first one's books, or not at all."""
    for name in ("first", "second"):
        write_town(tmp_path / "past" / name, TOWN)

    answer = desk("replay", tmp_path / "past", "--against", told)

    (said,) = answer.sentences
    assert 2 == answer.status
    assert "first and second are both exports of the period 2026-10" in said


def test_months_of_two_utilities_are_not_replayed_as_one(desk, told, tmp_path):
    write_town(tmp_path / "past" / "october", TOWN)
    manifest = write_town(tmp_path / "past" / "september", TOWN, period="2026-09") / "bundle.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(re.sub('name = "[^"]*"', 'name = "Town of Elsewhere"', text, count=1))

    answer = desk("replay", tmp_path / "past", "--against", told)

    (said,) = answer.sentences
    assert 2 == answer.status and "one of Town of Elsewhere" in said


@pytest.mark.parametrize(
    ("folder", "against", "sentence"),
    [
        ("past", "nowhere", "There is no folder"),
        ("nowhere", "told", "There is no folder"),
        ("past/october", "told", "is an export itself; name the folder that holds it"),
    ],
)
def test_a_wrong_folder_is_one_sentence(desk, told, tmp_path, folder, against, sentence):
    write_town(tmp_path / "past" / "october", TOWN)
    done = told if against == "told" else tmp_path / against

    answer = desk("replay", tmp_path / folder, "--against", done)

    (said,) = answer.sentences
    assert 2 == answer.status and sentence in said


def test_what_the_office_told_of_a_month_without_an_export_is_said(october):
    assert ["2026-09"] == october.json["without_export"]


@pytest.mark.release
def test_and_it_is_said_in_words(desk, told, tmp_path):
    write_town(tmp_path / "past" / "october", TOWN)

    words = desk("replay", tmp_path / "past", "--against", told)

    assert 0 == words.status
    assert f"not replayed, no export of it is in {tmp_path / 'past'}: 2026-09" in words.out
