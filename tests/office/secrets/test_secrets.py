"""Where secrets come from: the environment, files, a Prefect server; never the settings file."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from domain.failures import Misuse
from office.secrets.prefect_access import auth_of, known_auth
from office.secrets.redaction import redact
from office.secrets.sources import without_written_secrets
from office.settings.settings import Settings, commented_file, open_settings
from tests.office.settings_builders import refusal


def test_a_secret_comes_from_a_file_that_the_environment_names(tmp_path, monkeypatch):
    (tmp_path / "password").write_text("hunter2-of-mail\n")
    (tmp_path / "url").write_text("postgresql+psycopg://anna:hunter2-of-books@db/bills\n")
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("BILLCLOSE_DATABASE__URL_FILE", str(tmp_path / "url"))

    settings = open_settings(tmp_path)

    assert "hunter2-of-mail" == settings.smtp.password.get_secret_value()
    assert settings.database.url.endswith("@db/bills")
    assert "login [secret] or [secret]" == redact("login hunter2-of-mail or hunter2-of-books")


def test_a_secret_comes_from_systemds_credentials(tmp_path, monkeypatch):
    (tmp_path / "bounces.password").write_text("hunter2")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert "hunter2" == open_settings(tmp_path).bounces.password.get_secret_value()


def test_the_environment_wins_over_a_credential(tmp_path, monkeypatch):
    (tmp_path / "smtp.password").write_text("file")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "environment")

    assert "environment" == open_settings(tmp_path).smtp.password.get_secret_value()


def test_a_secret_that_is_given_twice_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "one")
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD_FILE", str(tmp_path / "other"))

    assert "BILLCLOSE_SMTP__PASSWORD_FILE: give one of them" in refusal(tmp_path)


def test_a_file_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD_FILE", str(tmp_path / "nowhere"))

    assert f"{tmp_path / 'nowhere'} cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("bounces", "password"),
        ("payments", "stripe_api_key"),
        ("payments", "stripe_webhook_secret"),
        ("cash_receipting", "token"),
        ("prefect", "auth_string"),
        ("prefect", "database_url"),
    ],
)
def test_a_secret_in_the_settings_file_is_refused(home, section, key):
    sentence = refusal(home(f'[{section}]\n{key} = "hunter2-in-clear"\n'))

    assert f"BILLCLOSE_{section.upper()}__{key.upper()}_FILE" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        '[smtp]\npassword = "hunter2"\n',
        '[database]\nurl = "postgresql+psycopg://anna:hunter2@db/bills"\n',
        '[smtp]\nurl = "smtp://anna:hunter2@mail.example"\n',
    ],
)
def test_a_password_that_older_homes_have_there_is_taken_with_a_warning(home, capsys, text):
    place = home(text)

    open_settings(place)
    open_settings(place)

    (warning,) = capsys.readouterr().err.splitlines()
    assert "is better not written there" in warning
    assert "hunter2" not in warning
    assert "hunter2" not in without_written_secrets(Settings, text)


def test_a_settings_file_without_secrets_is_kept_as_it_is():
    assert commented_file() == without_written_secrets(Settings, commented_file())


@pytest.fixture
def blocks(monkeypatch):
    """A server with one Secret block, that wants to know who asks."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            is_there = "/name/bounce-box?include_secrets=true" in self.path
            self.send_response(200 if is_there else 404)
            self.end_headers()
            asked.append(self.headers.get("Authorization"))
            self.wfile.write(json.dumps({"data": {"value": "hunter2-of-blocks"}}).encode())

        def log_message(self, *_words):
            """Say nothing."""

    asked = []
    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "office:words")
    yield asked
    server.shutdown()
    server.server_close()


def test_a_secret_that_prefect_keeps_is_looked_up_when_it_is_needed(home, blocks):
    settings = open_settings(home('[bounces]\npassword = "prefect-secret:bounce-box"\n'))
    before = list(blocks)

    value = settings.bounces.password.get_secret_value()

    assert ([], "hunter2-of-blocks", 1) == (before, value, len(blocks))
    assert "hunter2" not in f"{settings} {redact(value)}"


def test_a_secret_that_prefect_does_not_keep_is_said_so(home, blocks):
    settings = open_settings(home('[bounces]\npassword = "prefect-secret:other"\n'))

    with pytest.raises(Misuse, match="has no Secret block other"):
        settings.bounces.password.get_secret_value()


def test_the_words_that_open_our_server_are_made_once_and_are_private(tmp_path, monkeypatch):
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
    made = auth_of(tmp_path)

    assert made == auth_of(tmp_path) == known_auth(tmp_path)
    assert "of the office" == auth_of(tmp_path, "of the office")
    assert 0o600 == (tmp_path / "prefect.secret").stat().st_mode & 0o777
