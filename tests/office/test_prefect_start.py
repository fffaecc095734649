"""A Prefect server of our own that does not come up says why in one sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from domain.failures import TemporaryFailure
from office.prefect_server import last_words, server
from office.prefect_server.last_words import why_it_ended
from office.prefect_server.server import PrefectServer

API = "http://127.0.0.1:1/api"
SECRET = "postgresql://bill:s3cret@db/prefect"
SAID = {
    "sqlite3.OperationalError: database or disk is full": "the disk is full",
    "OSError: [Errno 28] No space left on device: 'x'": "the disk is full",
    "sqlite3: attempt to write a readonly database": "its database may only be read",
    "OSError: [Errno 30] Read-only file system": "the disk may only be read",
    "Port 4200 is already in use. Please specify\na different port": "its port is in use",
    "[Errno 98] error while attempting to bind: address already in use": "its port is in use",
    "sqlite3.DatabaseError: file is not a database": "its database is damaged",
    "asyncpg.exceptions.InvalidPasswordError: password": "refuses the name or the password",
    "ssl.SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] x": "the certificate of its database",
    "PermissionError: [Errno 13] Permission denied: 'x'": "it may not write in its folder",
    "Traceback: something that nobody has seen": "; see prefect/server.log",
}  # fmt: skip


def started(log, said: str) -> PrefectServer:
    """A server whose program writes a few words into its log and ends, as Prefect's does."""

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as end:
            code = f"print({said!r})\nprint({SECRET!r})\nraise SystemExit(1)"
            return subprocess.Popen([sys.executable, "-SE", "-c", code], stdout=end)

    return PrefectServer(API, start, log=log)


@pytest.mark.parametrize("said", SAID)
def test_what_its_log_says_is_why_it_did_not_come_up(tmp_path, said):
    log = tmp_path / "server.log"
    log.write_text("a start before: no space left on device\n")

    with pytest.raises(TemporaryFailure) as failure:
        started(log, said).wait_until_ready()

    assert "ended before it answered" in str(failure.value)
    assert SAID[said] in str(failure.value)
    assert ("disk is full" in str(failure.value)) == (SAID[said] == "the disk is full")
    assert SECRET not in str(failure.value)


def test_a_full_disk_leaves_no_log_and_is_the_reason(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr(last_words.shutil, "disk_usage", lambda _: usage)

    assert why_it_ended(tmp_path / "server.log") == "the disk is full"


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(tmp_path):
    log = tmp_path / "server.log"
    log.write_text("Port 4200 is already in use.")

    assert why_it_ended(log, 10_000_000) == "its port is in use by another program"
    assert why_it_ended(tmp_path / "none.log") == ""


def test_a_database_that_found_no_room_leaves_no_part_of_itself(tmp_path, monkeypatch):
    def is_full(source, target):
        target.write_bytes(b"part")
        raise OSError(28, "No space left on device", str(target))

    (tmp_path / "template.db").touch()
    monkeypatch.setattr(server, "TEMPLATE", tmp_path / "template.db")
    monkeypatch.setattr(shutil, "copyfile", is_full)

    with pytest.raises(OSError, match="No space left"):
        server._prepared(tmp_path / "prefect")

    assert list((tmp_path / "prefect").iterdir()) == []


TLS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_"


@pytest.mark.parametrize(
    ("query", "kept", "tls"),
    [
        ("", "", {}),
        ("?sslmode=require", "?ssl=require", {}),
        ("?sslmode=verify-full", "?ssl=verify-full", {}),  # by the driver's usual place of roots
        (
            "?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "",
            {"ENABLED": "true", "CHECK_HOSTNAME": "true", "CA_FILE": "/etc/ca.pem"},
        ),
        (
            "?sslmode=verify-ca&sslrootcert=system&timeout=5",
            "?timeout=5",
            {"ENABLED": "true", "CHECK_HOSTNAME": "false"},
        ),
    ],
)
def test_tls_to_its_database_is_said_as_its_driver_has_it(query, kept, tls):
    found = server.database_environment(f"postgresql://anna:pw@db.internal/runs{query}")

    url = found.pop("PREFECT_SERVER_DATABASE_CONNECTION_URL")
    assert url == f"postgresql+asyncpg://anna:pw@db.internal/runs{kept}"
    assert found == {f"{TLS}{name}": value for name, value in tls.items()}
