"""Failures are told from the books: status, sentence, and one document."""

from __future__ import annotations

import contextlib
import errno
import json
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from command_line.failing import describe, tell, to_document
from domain.failures import Misuse, OutcomeUnknown, Refused, TemporaryFailure
from tests.builders_export import AUTOPAY, a_table, write_export


class ServerSays(Exception):
    """What psycopg raises: words and a state."""

    def __init__(self, state: str, words: str) -> None:
        super().__init__(words)
        self.sqlstate = state


def a_database_error(state: str, words: str) -> sa.exc.DatabaseError:
    return sa.exc.ProgrammingError("SELECT 1", {}, ServerSays(state, words))


def wrapped(inner: Exception, outer: Exception) -> Exception:
    try:
        raise outer from inner
    except Exception as failure:
        return failure


@pytest.mark.parametrize(
    ("failure", "code", "status", "said"),
    [
        (a_database_error("42501", "permission denied for table bill"), "no-grant", 2, "grant"),
        (a_database_error("25006", "cannot execute INSERT"), "read-only", 2, "may only read"),
        (a_database_error("53300", "too many connections for role"), "database", 1, "pool_size"),
        (a_database_error("08006", "server closed"), "database", 1, "check database.url"),
        (
            a_database_error("", 'connection to "x" failed: FATAL:  database "b" does not exist'),
            "database", 2, 'said: database "b" does not exist; make it, or correct database.url',
        ),
        (
            a_database_error("", 'FATAL:  password authentication failed for user "b"'),
            "database", 2, "correct database.url",
        ),
        (OSError(errno.ENOSPC, "x", "/srv/a"), "system", 1, "the disk is full (/srv/a)"),
        (OSError(errno.EDQUOT, "x"), "system", 1, "the disk is full"),
        (
            wrapped(OSError(errno.ENOSPC, "x"), TemporaryFailure("the server did not start")),
            "system", 1, "the disk is full",
        ),
        (
            sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full")),
            "system", 1, "the disk is full",
        ),
        (
            wrapped(a_database_error("53300", "too many connections"), OSError()),
            "database", 1, "too many connections",
        ),
        (TemporaryFailure("mail is down"), "unavailable", 1, "mail is down"),
        (KeyboardInterrupt(), "stopped", 1, "run the same command again"),
        (OutcomeUnknown("x"), "unexpected", 1, "the trace for support"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_a_failure_is_called(failure, code, status, said):
    found = describe(failure)

    assert (code, status) == (found[0], found[2])
    assert said in found[1]


def test_a_service_leaves_the_trace_in_the_homes_logs(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_HOME", str(tmp_path))
    before = describe(OutcomeUnknown("x"))[1]
    (tmp_path / "logs").mkdir()

    with contextlib.suppress(FileNotFoundError):
        Path(before.split(" is in ")[1]).unlink()
    after = describe(OutcomeUnknown("x"))[1]

    assert str(tmp_path) not in before
    (kept,) = (tmp_path / "logs").iterdir()
    assert after.endswith(f"is in {kept}")
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)


def test_whoever_stopped_a_command_has_nothing_to_put_right():
    assert "run the same command again to go on" == tell(KeyboardInterrupt()).next
    assert "put right" in tell(TemporaryFailure("mail is down")).next


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        (Misuse("x", "bundle"), 2, "failed"),
        (Refused("y", "x"), 3, "refused"),
        (OSError(), 1, "failed"),
    ],
)  # fmt: skip
def test_each_failure_is_a_document(failure, status, word):
    told = tell(failure)
    document = to_document(failure, told)

    assert (status, word) == (told.status, document["status"])
    assert (told.code, told.message) == (
        document["failure"]["code"],
        document["failure"]["message"],
    )
    assert document["failure"]["next"]
    assert (status in (2, 3)) == ("refusal" in document)


def test_a_wrong_export_fails_before_anything_is_done(desk, tmp_path):
    autopay = a_table({("max_amount" if k == "maximum" else k): v for k, v in AUTOPAY.items()})

    answer = desk.close(write_export(tmp_path / "export", autopay=autopay), "--yes")

    assert 2 == answer.status
    document = answer.json
    assert ("failed", "2026-10", False, []) == tuple(
        document[name] for name in ("status", "period", "closed", "done")
    )
    assert 'did you mean "maximum"' in document["failure"]["message"]
    assert "bundle" == document["failure"]["code"]


def test_once_a_period_is_published_nothing_says_refused(desk, town):
    (desk.home / "print").write_text("in the way of the folder")

    failed = desk.close(town, "--yes")
    (desk.home / "print").unlink()
    again = desk.close(town, "--yes")

    assert 1 == failed.status, failed.err
    document = failed.json
    assert ("failed", "2026-10", True) == tuple(
        document[name] for name in ("status", "period", "closed")
    )
    assert "publish bills" in document["done"]
    assert "write print batch" not in document["done"]
    assert "close 2026-10" in document["failure"]["next"]
    assert "refusal" not in document
    assert (0, "closed") == (again.status, again.json["status"])


def test_a_home_is_found_from_wherever_it_is_named(desk, tmp_path, monkeypatch):
    monkeypatch.chdir(desk.home.parent)
    relative = type(desk)(Path(desk.home.name), desk.settings)

    saved = relative("backup", "--to", tmp_path / "all.tar.gz")

    assert 0 == saved.status, saved.err
    assert f"--home {Path.cwd()}" in relative("init").out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BILLCLOSE_SMTP__CONNECTIONS", "many", "variable BILLCLOSE_SMTP__CONNECTIONS"),
        ("BILLCLOSE_SMTP__CONECTIONS", "4", "variable BILLCLOSE_SMTP__CONECTIONS"),
        ("BILLCLOSE_SMTP_URL", "x", "did you mean BILLCLOSE_SMTP__URL?"),
        ("BILLCLOSE_MAIL__URL", "x", "There is no setting BILLCLOSE_MAIL__URL"),
        ("BILLCLOSE_DATABASE__URL", "mysql://h/n", "write postgresql+psycopg://host/name"),
        ("BILLCLOSE_DATABASE__URL", "postgresql+asyncpg://h/n", "not postgresql+asyncpg://"),
    ],
)  # fmt: skip
def test_a_wrong_environment_variable_is_named(desk, name, value, said):
    answer = desk("list", "bills", "--json", **{name: value})

    assert 2 == answer.status
    assert said in json.loads(answer.out)["failure"]["message"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_postgresql_is_taken_by_whatever_name(desk, scheme):
    answer = desk("list", "bills", BILLCLOSE_DATABASE__URL=f"{scheme}://127.0.0.1:1/none")

    assert 1 == answer.status
    assert "check database.url" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("correct", "01.1002.2", "--period", "{}", "--bundle", "nowhere", "--reason", "a test"),
        ("outsort", "99.9999.9", "--period", "{}", "--reason", "a test"),
        ("release", "99.9999.9", "--period", "{}", "--reason", "a test"),
        ("schedule-autopay", "{}"),
        ("undo", "{}", "--yes"),
        ("pages", "drop", "{}", "bills.pdf", "99", "--reason", "a test"),
        ("auditors-pack", "{}", "--to", "nowhere/pack.zip"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_about_a_period_names_it_where_it_fails(prepared, words):
    answer = prepared(*(word.format("2026-10") for word in words), "--json")

    assert answer.status in (2, 3)
    document = answer.json
    assert ("2026-10", False, []) == (
        document["period"],
        document["closed"],
        document["done"],
    )


def test_another_command_about_a_closed_period_fails_as_it_does(closed):
    answer = closed(
        *("correct", "01.1002.2", "--period", "2026-10", "--bundle", "nowhere"),
        *("--reason", "a test", "--json"),
    )

    assert (2, True, "2026-10") == (answer.status, answer.json["closed"], answer.json["period"])
    assert "close 2026-10" not in answer.json["failure"]["next"]
