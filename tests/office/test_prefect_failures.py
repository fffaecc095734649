"""What a Prefect server fails at while a flow runs is said in one sentence, and nothing is lost."""

from __future__ import annotations

import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError

from domain.failures import TemporaryFailure
from office.prefect_server import flow_runs
from office.prefect_server.server import PrefectServer

API = "http://prefect.example:4200/api"
SAID = "names@customers.example"  # what a server repeats of what it was told


def asked(url):
    return httpx.Request("POST", url)


def answered(status, url=f"{API}/flow_runs/"):
    answer = httpx.Response(status, request=asked(url), json={"exception_message": SAID})
    with pytest.raises(httpx.HTTPStatusError) as raised:
        answer.raise_for_status()
    return PrefectHTTPStatusError.from_httpx_error(raised.value)


def caused_by(cause):
    """Prefect's own failure where it cannot reach its server."""
    try:
        try:
            raise cause
        except httpx.HTTPError as inner:
            raise RuntimeError(f"Failed to reach API at {API}/") from inner
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize(
    "failure, words",
    [
        (answered(500), "answered 500"),
        (answered(503), "answered 503"),
        (answered(409), "answered 409"),
        (httpx.ReadTimeout("x", request=asked(f"{API}/task_runs/")), "timed out"),
        (httpx.ConnectError("x", request=asked(f"{API}/task_runs/")), "did not answer"),
        (httpx.RemoteProtocolError(SAID, request=asked(f"{API}/logs/")), "did not answer"),
        (caused_by(httpx.ReadTimeout("x", request=asked(f"{API}/health"))), "timed out"),
    ],
)
def test_what_the_server_failed_at_is_said_with_what_to_do(tmp_path, failure, words):
    with pytest.raises(TemporaryFailure) as said, flow_runs._server_failures_named(tmp_path, API):
        raise failure

    sentence = str(said.value)
    assert f"The Prefect server at {API} " in sentence
    assert words in sentence
    assert "run the same command again" in sentence
    assert SAID not in sentence


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("x", request=asked("https://api.stripe.example/v1/charges")),
        httpx.ReadTimeout("no request belongs to it"),
        answered(500, "https://receipting.example/receipts"),
        RuntimeError("a fault of ours"),
        ValueError("a fault of ours"),
    ],
)
def test_what_others_failed_at_stays_what_it_is(tmp_path, failure):
    with pytest.raises(type(failure)) as raised, flow_runs._server_failures_named(tmp_path, API):
        raise failure

    assert raised.value is failure


@pytest.mark.parametrize("failure", [answered(500), caused_by(answered(500))])
def test_a_full_disk_is_the_reason_where_there_is_one(tmp_path, monkeypatch, failure):
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr(flow_runs.shutil, "disk_usage", lambda _: usage)

    with (
        pytest.raises(OSError, match="No space left"),
        flow_runs._server_failures_named(tmp_path, API),
    ):
        raise failure


def test_a_server_too_busy_to_bury_dead_runs_stops_no_command(monkeypatch):
    asked_for = []

    def times_out(path, body, seconds):
        asked_for.append(path)
        raise httpx.ReadTimeout("x", request=asked(f"{API}/{path}"))

    server = PrefectServer(API)
    server.process = object()
    monkeypatch.setattr(server, "_post", times_out)

    server.bury_dead_runs()

    assert asked_for == ["flow_runs/filter"]
