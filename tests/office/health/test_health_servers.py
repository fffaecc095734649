"""The health of the servers: the mail server's greeting, Prefect's late runs."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from contextlib import contextmanager

import pytest

from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from office.health.health import look
from office.health.machine import ask_mail_server, mail_server_offset
from office.health.prefect import late_runs
from office.prefect_server import server as prefect_server
from office.settings.close import PrefectSettings
from office.settings.mail import SmtpSettings
from tests.builders import NOW
from tests.mail.servers import MailServer, running
from tests.office.health_builders import looking, troubles

MORNING = "2026-11-03T09:00"


@contextmanager
def greeting(said: bytes):
    """A server that says one thing to each who comes, and waits until they go."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    line.sendall(said)
                    line.recv(100)

        threading.Thread(target=answer, daemon=True).start()
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"


def at_mail_server(home, books, url: str):
    return looking(home, books, MORNING, smtp=SmtpSettings(url=url))


def test_a_folder_for_mails_is_not_watched(tmp_path, empty_books):
    (found,) = ask_mail_server(looking(tmp_path, empty_books, MORNING), 5)

    assert "not-watched" == found.state


def test_a_mail_server_that_greets_is_well_and_gets_no_mail(tmp_path, empty_books):
    with running(MailServer()) as server:
        url = f"smtp://127.0.0.1:{server.port}"
        (found,) = ask_mail_server(at_mail_server(tmp_path, empty_books, url), 5)

    assert ("well", [], []) == (found.state, server.accepted, server.logins)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"421 too busy\r\n", "it says 421"),
        (b"554-no\r\n554 go away\r\n", "it says 554"),
        (b"", "no answer in 0.2 seconds"),
    ],
)
def test_a_mail_server_that_does_not_greet_is_down(tmp_path, empty_books, said, why):
    with greeting(said) as url:
        (found,) = ask_mail_server(at_mail_server(tmp_path, empty_books, url), 0.2)

    assert "trouble" == found.state
    assert f"The mail server does not answer: {why}." == found.detail


def test_a_mail_server_that_is_off_is_down_after_the_grace(tmp_path, empty_books):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"smtp://127.0.0.1:{free.getsockname()[1]}"
    (found,) = ask_mail_server(at_mail_server(tmp_path, empty_books, url), 2)

    assert "no connection: connection refused" in found.detail
    assert 300 == found.patience.total_seconds()


def test_a_mail_server_may_tell_the_time(tmp_path, empty_books):
    said = b"220-mail.example\r\n220 ESMTP ready at Tue, 3 Nov 2020 09:00:00 -0700\r\n"
    with greeting(said) as url:
        (ahead,) = mail_server_offset(at_mail_server(tmp_path, empty_books, url), 5).values()

    assert ahead.days > 365


def test_most_mail_servers_do_not_tell_the_time(tmp_path, empty_books):
    with greeting(b"220 mail.example ESMTP\r\n") as url:
        assert {} == mail_server_offset(at_mail_server(tmp_path, empty_books, url), 5)


@pytest.mark.parametrize(
    ("error", "attempts", "kind", "found"),
    [
        ("the mail server refuses the name: 535 no", 0, MessageKind.BILL, ["mail-server-down"]),
        ("the mail server refuses the name: 535 no", 0, MessageKind.ALERT, []),
        ("451 4.3.0 this mailbox later", 1, MessageKind.BILL, []),  # one customer's own
        (None, 0, MessageKind.BILL, []),
    ],
)
def test_a_server_that_greets_and_takes_no_mail_is_told(
    tmp_path, database, error, attempts, kind, found
):
    with database.writing() as books:
        mail = PlannedMessage(kind, "x", "ann@x.example", form="alert")
        queue_messages(books, [mail], now=NOW, message_domain="larkspur.example")
        waits = {"status": DeliveryStatus.DEFERRED, "error": error, "attempts": attempts}
        books.execute(delivery.update().values(**waits))
    with running(MailServer()) as server:
        office = at_mail_server(tmp_path, database, f"smtp://127.0.0.1:{server.port}").office
        conditions = [one for one in look(office).conditions if one.kind == "mail-server-down"]

    assert found == troubles(conditions)
    assert not found or f"stopped: {error}." in conditions[0].detail


@pytest.fixture
def prefect(monkeypatch):
    """What answers like a Prefect server, and the questions it was asked."""
    for name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)

    class Answers(http.server.BaseHTTPRequestHandler):
        asked: list = []  # noqa: RUF012 - of this one class
        runs: list = []  # noqa: RUF012
        status = 200

        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.asked.append((self.path, question, self.headers["Authorization"]))
            deployments = [{"id": "1", "name": "remind"}, {"id": "2", "name": "collect"}]
            found = self.runs if "flow_runs" in self.path else deployments
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        Answers.url = f"http://127.0.0.1:{server.server_port}/api"
        yield Answers
        server.shutdown()


def at_prefect(home, books, url: str):
    return looking(home, books, MORNING, prefect=PrefectSettings(api_url=url))


def test_a_deployment_that_did_not_run_is_told_once_by_its_oldest_run(
    tmp_path, empty_books, prefect, monkeypatch
):
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "anna:secret")
    prefect.runs = [
        {"deployment_id": "1", "expected_start_time": f"2026-11-0{day}T13:00:00Z"} for day in (2, 3)
    ]

    (found,) = late_runs(at_prefect(tmp_path, empty_books, prefect.url), 5)

    assert ("run-late/remind", "2026-11-02") == (found.name, f"{found.since:%Y-%m-%d}")
    (path, question, authorization), _ = prefect.asked
    assert "/api/flow_runs/filter" == path
    assert "2026-11-03T15:30:00+00:00" == question["flow_runs"]["expected_start_time"]["before_"]
    assert "Basic YW5uYTpzZWNyZXQ=" == authorization


def test_a_run_that_another_one_keeps_from_beginning_is_late_too(tmp_path, empty_books, prefect):
    due = "2026-11-03T13:00:00Z"
    prefect.runs = [
        {"deployment_id": "1", "expected_start_time": due, "state_name": "AwaitingConcurrencySlot"},
        {"deployment_id": "2", "expected_start_time": due, "state_name": "Late"},
    ]

    collect, remind = late_runs(at_prefect(tmp_path, empty_books, prefect.url), 5)

    _, asked, _ = prefect.asked[0]
    assert "AwaitingConcurrencySlot" in asked["flow_runs"]["state"]["name"]["any_"]
    assert "has not begun: another run of it is under way." in remind.detail
    assert "cancel it there if it hangs" in remind.remedy
    assert remind.command == ""
    assert collect.detail.endswith("has not begun.")
    assert "up" in collect.command


def test_a_server_without_late_runs_is_well(tmp_path, empty_books, prefect):
    (found,) = late_runs(at_prefect(tmp_path, empty_books, prefect.url), 5)

    assert "well" == found.state


def test_a_server_that_the_settings_name_has_to_answer(tmp_path, empty_books, prefect):
    prefect.status = 503

    found = late_runs(at_prefect(tmp_path, empty_books, prefect.url), 5)

    assert ["unknown", "trouble"] == [one.state.value for one in found]
    assert ["prefect-down"] == troubles(found)


def test_a_server_of_our_own_may_be_off(tmp_path, empty_books, prefect):
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / prefect_server.ANNOUNCEMENT).write_text("http://127.0.0.1:1/api")

    (found,) = late_runs(looking(tmp_path, empty_books, MORNING), 5)

    assert "unknown" == found.state


def test_without_a_prefect_server_nothing_is_asked(tmp_path, empty_books, prefect):
    (found,) = late_runs(looking(tmp_path, empty_books, MORNING), 5)

    assert ("not-watched", []) == (found.state, prefect.asked)
