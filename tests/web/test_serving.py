"""The web desk as `billclose web` serves it: a real server, and what it writes down."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from starlette.responses import PlainTextResponse

from domain.failures import Refused
from office.settings.close import WebSettings
from tests.flows.fixtures import prepared
from tests.office.health_builders import an_office_at
from tests.web import one_loop
from web import mail_thread, payment_thread
from web.serve import BehindProxies

__all__ = ["prepared"]
ROOT = Path(__file__).parents[2]
RUN = "import sys; from command_line.main import run; sys.exit(run(sys.argv[1:]))"
READERS = 80  # more than a limit on requests once took, each idle
PATIENCE = 60  # seconds until it must answer


@pytest.mark.slow
def test_the_desk_answers_and_its_log_names_nobody(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    log = tmp_path / "log"

    with serving(desk.home, log) as url:
        health = httpx.get(f"{url}/health")
        wrong = httpx.get(f"{url}/exports/a-secret-token")
        large = httpx.post(f"{url}/unsubscribe/x", content=b"x" * 100_000)

    assert (200, "well") == (health.status_code, health.json()["status"])
    assert (404, "no-store") == (wrong.status_code, wrong.headers["cache-control"])
    assert 413 == large.status_code
    assert "server" not in health.headers
    written = log.read_text()
    assert "GET /exports 404" in written
    assert "a-secret-token" not in written
    assert not (desk.home / "usage-exports").exists()


def test_readers_who_stay_connected_shut_nobody_out(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    with serving(desk.home, tmp_path / "log") as url, contextlib.ExitStack() as readers:
        place = httpx.URL(url)
        for _ in range(READERS):
            reader = readers.enter_context(socket.create_connection((place.host, place.port), 30))
            reader.sendall(b"GET /nothing HTTP/1.1\r\nHost: office\r\n\r\n")
            assert reader.recv(64).startswith(b"HTTP/1.1 404")
        slow = readers.enter_context(socket.create_connection((place.host, place.port), 30))
        slow.sendall(b"GET /nothing HTTP/1.1\r\n")  # and no more

        one_more = httpx.get(f"{url}/nothing").status_code

    assert 404 == one_more


def test_a_home_that_is_none_is_said_at_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--home", tmp_path / "none", "web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert 2 == done.returncode
    assert "There is no office in" in done.stderr


async def name_the_visitor(scope, receive, send):
    await PlainTextResponse(scope["client"][0])(scope, receive, send)


@pytest.fixture
def visitor(tmp_path, books):
    """Who a request is of, by the desk: `visitor("127.0.0.1", "203.0.113.9")`."""

    def known(peer: str, *told: str, path: str = "/", **settings) -> str:
        web = WebSettings(url="https://pay.city.example", **settings)
        desk = BehindProxies(
            name_the_visitor, an_office_at(tmp_path, books, "2026-11-03T09:00", web=web)
        )
        headers = [("X-Forwarded-For", one) for one in told]

        async def once() -> str:
            transport = httpx.ASGITransport(desk, client=(peer, 1234))
            async with httpx.AsyncClient(transport=transport, base_url=web.url) as asked:
                return (await asked.get(path, headers=headers)).text

        return one_loop.run(once)

    return known


@pytest.mark.parametrize(
    ("peer", "told", "proxies", "visitor_is"),
    [
        pytest.param("127.0.0.1", ["203.0.113.9"], None, "203.0.113.9", id="proxy-on-this-machine"),
        pytest.param("::1", ["2001:db8::9"], None, "2001:db8::9", id="by-IPv6"),
        pytest.param("10.0.8.5", ["203.0.113.9"], ("10.0.8.0/24",), "203.0.113.9", id="named"),
        pytest.param("10.0.8.5", ["203.0.113.9"], None, "10.0.8.5", id="proxy-that-is-not-named"),
        pytest.param("198.51.100.7", ["127.0.0.1"], None, "198.51.100.7", id="forged-directly"),
        pytest.param("127.0.0.1", ["8.8.8.8,203.0.113.9"], None, "203.0.113.9", id="forged-in-it"),
        pytest.param("127.0.0.1", ["8.8.8.8", "203.0.113.9"], None, "203.0.113.9", id="forged-own"),
        pytest.param(
            "127.0.0.1", ["8.8.8.8, 203.0.113.9, 10.0.8.5"], ("127.0.0.1", "10.0.8.5"),
            "203.0.113.9", id="two-proxies",
        ),
    ],
)  # fmt: skip
def test_a_visitors_address_is_told_by_our_own_proxies_alone(
    visitor, peer, told, proxies, visitor_is
):
    named = {} if proxies is None else {"proxies": proxies}

    assert visitor_is == visitor(peer, *told, **named)


@pytest.mark.parametrize(
    ("peer", "told", "path", "said"),
    [
        ("10.0.8.5", ["203.0.113.9"], "/", "10.0.8.5 passes requests on and is not in web.proxies"),
        ("127.0.0.1", [], "/", "the proxy at 127.0.0.1 sends no X-Forwarded-For"),
        ("127.0.0.1", [], "/health", ""),
        ("127.0.0.1", ["203.0.113.9"], "/", ""),
        ("8.8.8.8", ["203.0.113.9"], "/", ""),
    ],
)
def test_a_proxy_that_makes_one_visitor_of_all_is_in_the_log(
    visitor, caplog, peer, told, path, said
):
    with caplog.at_level(logging.WARNING, "billclose.web"):
        visitor(peer, *told, path=path)

    assert said == "".join(caplog.messages).partition(":")[0]


@pytest.mark.parametrize("written", ["*", "proxy.internal", "10.0.8.1/24", ""])
def test_a_proxy_is_named_by_its_address(written):
    with pytest.raises(ValidationError, match="no address such as"):
        WebSettings(proxies=(written,))


@pytest.mark.parametrize(
    ("module", "act", "thread_of"),
    [
        (mail_thread, "send_portal_mails", mail_thread.MailThread),
        (payment_thread, "follow_up", lambda of: payment_thread.PaymentThread(of, Event())),
    ],
    ids=["mail", "payments"],
)
def test_a_thread_that_meets_books_that_are_away_looks_again(
    office, monkeypatch, module, act, thread_of
):
    seen = Event()
    away = OperationalError("SELECT 1", {}, Exception("connection refused"))
    failures = [away, Refused("no", "x")]

    def acts(_office) -> bool:
        if failures:
            raise failures.pop()
        seen.set()
        return False

    monkeypatch.setattr(module, act, acts)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    thread = thread_of(office)
    thread.start()
    try:
        assert seen.wait(PATIENCE)
    finally:
        thread.end()


@contextlib.contextmanager
def serving(home: Path, log: Path):
    """The desk of a home, at an address of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-c", RUN, "--home", str(home), "web", "--port", str(port)]
    environment = os.environ | {"BILLCLOSE_HEALTH__DISK_FREE_GB": "0"}
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + PATIENCE
        while not answers(url):
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/nothing").status_code == 404
    return False
