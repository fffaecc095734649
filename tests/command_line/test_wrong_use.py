"""Wrong arguments and settings: exit status 2, one sentence that says which and how."""

from __future__ import annotations

import pytest

from tests.flows.desk import Desk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["clsoe"], "clsoe", id="an unknown command"),
        pytest.param(["close", "x", "--yess"], "--yess", id="an unknown option"),
        pytest.param(["close"], "BUNDLE_OR_PERIOD", id="a missing argument"),
        pytest.param(["import"], "BUNDLE", id="no bundle"),
        pytest.param(["list", "bill"], "'bill'", id="an unknown list"),
        pytest.param(["list", "bills", "--csv", "a", "--xlsx", "b"], "one of", id="two formats"),
        pytest.param(["close", "x", "--as-of", "Monday"], "Monday", id="no time"),
        pytest.param(
            ["close", "x", "--as-of", "2026-11-02T09:00Z"], "without a zone", id="a zone of its own"
        ),
        pytest.param(["close", "x", "--waive", "bill-amount"], "--reason", id="no reason"),
        pytest.param(["close", "x", "--reason", "so"], "--waive", id="a reason for nothing"),
        pytest.param(
            ["close", "x", "--waive", "bill-amount", "--reason", " "], "empty", id="a blank reason"
        ),
        pytest.param(["list", "bills", "--where", "account"], "COLUMN=VALUE", id="no condition"),
        pytest.param(["list", "bills", "--where", "acount=1"], "amount_due", id="no such column"),
        pytest.param(["list", "bills", "--where", "_account_key=1"], "mean account?", id="hidden"),
        pytest.param(["list", "bills", "--where", "amount_due=much"], "'much'", id="no amount"),
        pytest.param(["list", "bills", "--where", "due_date=soon"], "'soon'", id="no date"),
        pytest.param(["list", "bills", "--where", "visible=2"], "'2'", id="no flag"),
        pytest.param(["list", "bills", "--where", "pages=two"], "'two'", id="no count"),
        pytest.param(["checks", "try", "2025-01"], "no period 2025-01", id="a period not taken in"),
        pytest.param(["checks", "try", "usage-outlyer"], "usage-outlier?", id="an unknown check"),
        pytest.param(
            ["checks", "try", "usage-outlier", "factor=2", "--periods", "0"],
            "--periods",
            id="no period to try",
        ),
    ],
)
def test_is_told_in_one_sentence(prepared, arguments, words):
    answer = prepared(*arguments)

    assert (2, answer.err.splitlines()) == (answer.status, answer.sentences)
    assert 1 == len(answer.sentences)
    assert words in answer.sentences[0]
    assert "" == answer.out


def test_programs_are_told_in_one_document(prepared):
    answer = prepared("close", "x", "--yess", "--json")

    assert f"billclose: {answer.json['refusal']['message']}" == answer.sentences[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param("[utility]\nholiday = 'US'\n", "utility.holiday", id="an unknown setting"),
        pytest.param("[smtp]\nconnections = 'many'\n", "smtp.connections", id="a wrong kind"),
        pytest.param("[utility\n", "TOML", id="no TOML"),
        pytest.param("[utility]\nclosed_days = ['someday']\n", "closed_days", id="no date"),
        pytest.param("[database]\nurl = 'books.db'\n", "database.url", id="no database's URL"),
        pytest.param("[database]\nurl = 'oracle9://x/y'\n", "database.url", id="no such database"),
    ],
)
def test_wrong_settings_are_named(prepared, tmp_path, settings, words):
    desk = prepared.copied(tmp_path / "office")
    (desk.home / "billclose.toml").write_text(settings)

    answer = desk("list", "bills")

    assert (2, answer.err.splitlines()) == (answer.status, answer.sentences)
    assert words in answer.sentences[0]


@pytest.mark.parametrize("command", [["list", "bills"], ["close", "x"], ["check", "2026-10"]])
def test_no_home(tmp_path, command):
    answer = Desk(tmp_path / "nowhere")(*command)

    assert (2, 1) == (answer.status, len(answer.err.splitlines()))
    assert "init" in answer.sentences[0]


@pytest.mark.parametrize("command", [["list", "bills"], ["close", "x"], ["check", "2026-10"]])
def test_no_database(prepared, tmp_path, command):
    desk = prepared.copied(tmp_path / "office")
    (desk.home / "billclose.db").unlink()

    answer = desk(*command)

    assert (2, 1) == (answer.status, len(answer.err.splitlines()))
    assert f"--home {desk.home} init" in answer.sentences[0]
    assert not (desk.home / "billclose.db").exists()


def test_an_empty_database(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    (desk.home / "billclose.db").write_bytes(b"")

    answer = desk("list", "bills")

    assert (2, 1) == (answer.status, len(answer.err.splitlines()))
    assert "init" in answer.sentences[0]


def test_a_file_that_is_no_database(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    for path in desk.home.glob("billclose.db*"):
        path.unlink()
    (desk.home / "billclose.db").write_bytes(b"garbage " * 1000)

    answer = desk("list", "bills")

    assert (1, 1) == (answer.status, len(answer.err.splitlines()))
    assert "database" in answer.sentences[0]


def test_preparing_again_keeps_the_settings(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    (desk.home / "billclose.toml").write_text("[reminders]\ndays_before_due = 4\n")

    answer = desk("init")

    assert (0, "") == (answer.status, answer.err)
    assert "days_before_due = 4" in (desk.home / "billclose.toml").read_text()


def test_the_commented_settings_are_the_defaults(prepared):
    text = (prepared.home / "billclose.toml").read_text()

    assert [] == [line for line in text.splitlines() if line and line[0] not in "#["]
    assert "#days_before_due = 3" in text
    assert {0o600} == {
        (prepared.home / name).stat().st_mode & 0o777 for name in ("billclose.toml", "billclose.db")
    }
