"""
What stands between the adapter and localstripe: keys, faults, and what localstripe lacks.

It keeps idempotency keys as Stripe documents them, drops requests and answers, and answers for
bank accounts, lists, events and payouts, of which localstripe has none. Bound to 127.0.0.1.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.payments.stripe_missing import Missing

CALLS = (
    ("prepare", "POST", r"/v1/payment_intents"),
    ("confirm", "POST", r"/v1/payment_intents/[^/]+/confirm"),
    ("cancel", "POST", r"/v1/payment_intents/[^/]+/cancel"),
    ("refund", "POST", r"/v1/refunds"),
    ("lookup", "GET", r"/v1/payment_intents(/[^/]+)?"),
    ("settlements", "GET", r"/v1/payouts"),
    ("late_events", "GET", r"/v1/events"),
)
OTHER_PARAMETERS = "Keys can only be used with the same parameters they were first used with."
ANSWERS_INSTEAD = {  # in place of the answer, after the request was carried out
    "500_after": (500, b'{"error": {"type": "api_error", "message": "after"}}'),
    "html": (200, b"<html>Welcome to our network</html>"),
    "list": (200, b"[]"),
    "empty": (200, b"{}"),
}


@dataclass
class Kept:
    """One idempotency key: what was asked under it, and the answer once there is one."""

    asked: tuple[str, bytes]
    answer: tuple[int, bytes] | None = None


@dataclass
class Front:
    """The state of one front; tests plan its faults and read what came through."""

    upstream: str
    faults: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, Kept] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # calls, with their keys
    webhooks: list[tuple[bytes, str]] = field(default_factory=list)
    holding: threading.Event = field(default_factory=threading.Event)  # what "held" waits for

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.client = httpx.Client(base_url=self.upstream, timeout=20)
        self.missing = Missing(self.client)

    def fault_of(self, call: str) -> str | None:
        with self.lock:
            waiting = self.faults.get(call)
            return waiting.pop(0) if waiting else None

    def keep(self, key: str, asked: tuple[str, bytes]) -> Kept | tuple[int, bytes]:
        """Return the key to be answered, or the answer that stands against it."""
        with self.lock:
            kept = self.keys.get(key)
            if kept is None:
                self.keys[key] = kept = Kept(asked)
                return kept
        if kept.asked != asked:
            return 400, _error("idempotency_error", None, OTHER_PARAMETERS)
        if kept.answer is None:
            return 409, _error("idempotency_error", "idempotency_key_in_use", "in use")
        return kept.answer


class FrontServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.front = Front(upstream)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.front.client.close()


class _Handler(BaseHTTPRequestHandler):
    server: FrontServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_webhook":
            front.webhooks.append((body, self.headers["Stripe-Signature"]))
            self._answer(200, b"{}")
            return
        call = _call_of(self.command, self.path)
        key = self.headers.get("Idempotency-Key", "") if self.command == "POST" else ""
        front.asked.append((call, key))
        fault = front.fault_of(call)
        if fault == "before":
            self._answer(429, _error("rate_limit_error", "rate_limit", "slow down"))
        elif fault == "never":
            self._drop()
        else:
            self._carry_out(front, body, key, fault)

    def _carry_out(self, front: Front, body: bytes, key: str, fault: str | None) -> None:
        kept = front.keep(key, (self.path, body)) if key else Kept(("", b""))
        if isinstance(kept, tuple):
            self._answer(*kept)
            return
        if fault == "held":
            front.holding.wait(20)
        status, answer = self._forward(front, body)
        if fault in ANSWERS_INSTEAD:
            status, answer = ANSWERS_INSTEAD[fault]
        kept.answer = status, answer
        if fault == "lost":
            self._drop()
        else:
            self._answer(status, answer)

    def _forward(self, front: Front, body: bytes) -> tuple[int, bytes]:
        path, _, query = self.path.partition("?")
        asked = urllib.parse.parse_qsl(body.decode() or query, keep_blank_values=True)
        return front.missing.answer(
            self.command, path, asked, {"Authorization": self.headers["Authorization"]}
        )

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)

    def _answer(self, status: int, body: bytes) -> None:
        with suppress(OSError):  # the caller may have given up
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the console."""


def _call_of(method: str, path: str) -> str:
    bare = path.partition("?")[0]
    return next((n for n, m, p in CALLS if m == method and re.fullmatch(p, bare)), bare)


def _error(kind: str, code: str | None, message: str) -> bytes:
    return json.dumps({"error": {"type": kind, "code": code, "message": message}}).encode()


def count(asked: list[tuple[str, str]]) -> dict[str, int]:
    """Count what was asked, by call."""
    counted: dict[str, int] = defaultdict(int)
    for call, _ in asked:
        counted[call] += 1
    return dict(counted)
