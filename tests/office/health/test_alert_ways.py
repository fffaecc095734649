"""Alerts beside mail: each way is told once, and a dead one keeps no other waiting."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from domain.failures import Misuse
from office.health.alert_ways import send_posts
from office.health.conditions import Condition, State
from office.health.health import Health
from office.health.incidents import note
from office.rounds.pinging import ping
from office.settings.mail import AlertsSettings
from office.settings.settings import open_settings
from tests.office.health_builders import an_office_at

AT = "2026-11-03T06:00"
NOBODY = "json://127.0.0.1:9/"  # the discard port: nothing listens there


class Listener(ThreadingHTTPServer):
    """A server that keeps what it is asked and told."""

    def __init__(self, status=200):
        super().__init__(("127.0.0.1", 0), _Keeping)
        self.heard, self.status = [], status

    @property
    def place(self):
        return f"127.0.0.1:{self.server_address[1]}"


class _Keeping(BaseHTTPRequestHandler):
    def _answer(self):
        length = int(self.headers.get("content-length", 0))
        self.server.heard.append((self.path, self.rfile.read(length).decode()))
        self.send_response(self.server.status)
        self.end_headers()

    do_GET = do_POST = _answer

    def log_message(self, *_words):
        return


@contextmanager
def listening(status=200):
    with Listener(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def office_with(tmp_path, database, *urls, **alerts):
    told = AlertsSettings(urls=SecretStr(" ".join(urls)), **alerts)
    return an_office_at(tmp_path, database, AT, alerts=told)


TROUBLE = Condition(
    "disk-nearly-full", State.TROUBLE, "A disk is nearly full.", remedy="Make room."
)
WELL = Condition("disk-nearly-full", State.WELL)


def test_a_trouble_is_told_once_when_it_begins_and_once_when_it_is_over(tmp_path, database):
    with listening() as server:
        office = office_with(tmp_path, database, f"json://{server.place}/")
        for condition in (TROUBLE, TROUBLE, WELL, WELL):
            note(office, Health((condition,)))
            send_posts(office, office.due_now())

    first, last = (text for _, text in server.heard)
    assert "A disk is nearly full." in first
    assert "docs/runbook/disk-nearly-full.md" in first
    assert "billclose: over: A disk is nearly full" in last


def test_a_dead_way_is_tried_again_and_a_live_one_told_once(tmp_path, database):
    with listening() as server:
        office = office_with(tmp_path, database, NOBODY, f"json://{server.place}/")
        note(office, Health((TROUBLE,)))

        counts = [send_posts(office, office.due_now()) for _ in range(2)]

    assert [(1, 1), (0, 1)] == counts
    assert 1 == len(server.heard)


def test_a_way_that_nobody_knows_is_told_so_and_shows_no_secret(tmp_path, database, caplog):
    office = office_with(tmp_path, database, "nonsense://s3cret-token/")
    note(office, Health((TROUBLE,)))

    assert (0, 1) == send_posts(office, office.due_now())
    assert "s3cret-token" not in caplog.text


@pytest.mark.parametrize(("failed", "path"), [(False, "/abc"), (True, "/abc/fail")])
def test_the_dead_mans_ping_says_whether_the_round_went_well(tmp_path, database, failed, path):
    with listening() as server:
        url = SecretStr(f"http://{server.place}/abc")
        office = an_office_at(tmp_path, database, AT, alerts=AlertsSettings(ping_url=url))
        told = ping(office, failed=failed)

    assert (True, [(path, "")]) == (told, server.heard)


def test_a_ping_that_nobody_hears_fails_without_a_word_of_its_address(tmp_path, database, caplog):
    url = SecretStr("http://127.0.0.1:9/s3cret-token")
    office = an_office_at(tmp_path, database, AT, alerts=AlertsSettings(ping_url=url))

    assert not ping(office, failed=False)
    assert "s3cret-token" not in caplog.text


def test_the_urls_are_not_written_into_the_settings_file(home):
    with pytest.raises(Misuse, match=r"alerts\.urls"):
        open_settings(home('[alerts]\nurls = "slack://a/b/c"\n'))
