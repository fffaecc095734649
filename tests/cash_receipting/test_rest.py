"""What a real HTTP service may do to us, and what we take it for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from cash_receipting.port import ServiceDown
from cash_receipting.posting import post_due
from cash_receipting.rest import RestReceipting
from cash_receipting.sandbox_service import SandboxServer, ServiceFaults
from domain.failures import OutcomeUnknown, PermanentFailure
from domain.money import Money
from tests.cash_receipting.builders import (
    MINUTE,
    Clock,
    a_service,
    always,
    receipt_key,
    states,
    take,
)
from tests.contracts.test_cash_receipting import KEY, a_request


@pytest.fixture
def service(tmp_path) -> Iterator[SandboxServer]:
    with a_service(tmp_path, token="secret") as server:
        yield server


@pytest.fixture
def system(service) -> Iterator[RestReceipting]:
    with closing(RestReceipting(service.url, SecretStr("secret"), seconds=2)) as chosen:
        yield chosen


def booked(service: SandboxServer) -> int:
    return len(service.books.find(KEY))


@pytest.mark.parametrize(
    ("faults", "failure", "entries"),
    [
        (ServiceFaults(down=True), ServiceDown, 0),
        (ServiceFaults(silent=True), OutcomeUnknown, 0),
        (ServiceFaults(error_before=1), OutcomeUnknown, 0),
        (ServiceFaults(error_after=1), OutcomeUnknown, 1),
        (ServiceFaults(lose_answers=1), OutcomeUnknown, 1),
        (ServiceFaults(rejects=("01.1037.1",)), PermanentFailure, 0),
    ],
)
def test_a_fault_is_named_by_what_may_have_happened(service, system, faults, failure, entries):
    service.plan.replace(faults)

    with pytest.raises(failure):
        system.post(a_request())

    assert entries == booked(service)


def test_a_slow_answer_may_still_be_booked(service):
    service.plan.replace(ServiceFaults(slow_seconds=0.5))

    with (
        closing(RestReceipting(service.url, SecretStr("secret"), seconds=0.1)) as system,
        pytest.raises(OutcomeUnknown),
    ):
        system.post(a_request())


def test_a_duplicate_is_our_own_earlier_posting(service, system):
    service.plan.replace(ServiceFaults(conflicts=True))
    first = system.post(a_request())

    assert first == system.post(a_request())
    assert 1 == booked(service)


def test_nobody_at_the_door_is_down_and_nothing_was_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with closing(RestReceipting(f"http://127.0.0.1:{port}", SecretStr(""))) as system:
        for ask in (system.post, system.find):
            with pytest.raises(ServiceDown, match="cannot be reached"):
                ask(a_request())


def test_a_refused_token_is_no_fault_of_the_posting_and_is_not_told(service):
    with closing(RestReceipting(service.url, SecretStr("an old one"))) as system:
        for ask in (system.post, system.find):
            with pytest.raises(ServiceDown, match="token") as refusal:
                ask(a_request())

    assert "an old one" not in str(refusal.value)


def test_the_refusal_is_told_in_the_services_own_words(service, system):
    service.plan.replace(ServiceFaults(rejects=("01.1037.1",)))

    with pytest.raises(PermanentFailure, match=r"account 01\.1037\.1 is not known"):
        system.post(a_request())


@pytest.mark.parametrize(
    ("status", "headers", "failure"),
    [
        (200, {}, OutcomeUnknown),  # an answer that cannot be read
        (302, {"Location": "/elsewhere"}, ServiceDown),
        (400, {}, PermanentFailure),
        (401, {}, ServiceDown),
        (403, {}, ServiceDown),
        (404, {}, PermanentFailure),
        (408, {}, OutcomeUnknown),
        (422, {}, PermanentFailure),
        (425, {}, OutcomeUnknown),
        (429, {}, OutcomeUnknown),
        (500, {}, OutcomeUnknown),
        (503, {}, OutcomeUnknown),
        (503, {"Retry-After": "60"}, ServiceDown),
    ],
)
def test_a_status_is_taken_for_what_it_may_mean(status, headers, failure):
    class Desk(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        serving = threading.Thread(target=server.handle_request, daemon=True)
        serving.start()
        url = f"http://127.0.0.1:{server.server_port}"
        with closing(RestReceipting(url, SecretStr(""))) as system, pytest.raises(failure):
            system.post(a_request())
        serving.join()


def test_every_payment_gets_there_once_through_all_faults(books, service, system):
    take(books, range(1, 41))
    clock = Clock()
    for faults in (
        ServiceFaults(lose_answers=2),
        ServiceFaults(error_after=2),
        ServiceFaults(error_before=2),
        ServiceFaults(down=True),
        ServiceFaults(silent=True),
        ServiceFaults(forgets_keys=True, lose_answers=2),
        ServiceFaults(forgets_keys=True),
    ):
        service.plan.replace(faults)
        for _ in range(3):
            post_due(books, system, clock, chance=always(0.5), forced=True)
            clock.move(10 * MINUTE)
    clock.move(timedelta(days=1))
    post_due(books, system, clock, chance=always(0.5))

    assert {"posted"} == set(states(books))
    entries = [service.books.find(receipt_key(number)) for number in range(1, 41)]
    assert {1} == {len(entry) for entry in entries}
    assert str(Money(80_40)) == entries[39][0]["amount"]
