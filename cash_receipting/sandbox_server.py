"""A small cash-receipting service over HTTP that fails on demand: for tests and rehearsals."""

from __future__ import annotations

import hmac
import json
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cash_receipting.sandbox_books import SandboxBooks, fault_of
from cash_receipting.sandbox_faults import FaultPlan, Faults

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 100_000


class SandboxServer(ThreadingHTTPServer):
    """The service; only this machine reaches it."""

    daemon_threads = True

    def __init__(self, port: int, books: SandboxBooks, token: str, faults: Faults) -> None:
        self.books = books
        self.token = token
        self.plan = FaultPlan(faults)
        super().__init__((LOOPBACK, port), _Desk)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that did not wait for its answer."""

    def server_close(self) -> None:
        super().server_close()
        self.books.close()


def open_sandbox(
    path: Path, *, port: int = 0, token: str = "", faults: Faults | None = None
) -> SandboxServer:
    """Open the service on its database; whoever calls lets it serve. Raises OSError."""
    return SandboxServer(port, SandboxBooks(path), token, faults or Faults())


class _Desk(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if not self._is_admitted():
            return
        if place.path == "/faults":
            self._answer(HTTPStatus.OK, self.server.plan.to_json())
        elif self._is_broken():
            return
        elif place.path == "/health":
            self._answer(HTTPStatus.OK, {"status": "up"})
        elif place.path == "/receipts" and (keys := parse_qs(place.query).get("key")):
            self._answer(HTTPStatus.OK, {"receipts": self.server.books.find(keys[0])})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def do_PUT(self) -> None:
        body = self._read()
        if not self._is_admitted():
            return
        if self.path != "/faults":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
            return
        try:
            self.server.plan.replace(Faults.parse(body))
        except (TypeError, ValueError) as wrong:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(wrong)})
            return
        self._answer(HTTPStatus.OK, self.server.plan.to_json())

    def do_POST(self) -> None:
        entry = self._read()
        if not self._is_admitted() or self._is_broken():
            return
        plan = self.server.plan
        if plan.take("error_before"):
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "failed before booking"})
        elif self.path != "/receipts" or (wrong := fault_of(entry)):
            error = "there is nothing here" if self.path != "/receipts" else wrong
            self._answer(HTTPStatus.BAD_REQUEST, {"error": error})
        elif entry["account"] in plan.faults.rejects:
            error = f"account {entry['account']} is not known"
            self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": error})
        else:
            self._book(entry)

    def _book(self, entry: dict[str, Any]) -> None:
        """Book an entry, then answer as the faults let it."""
        plan = self.server.plan
        booked, is_new = self.server.books.enter(entry, once=not plan.faults.forgets_keys)
        if plan.take("error_after"):
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "failed after booking"})
        elif plan.take("lose_answers"):
            self.close_connection = True
        elif is_new:
            self._answer(HTTPStatus.CREATED, booked)
        elif plan.faults.conflicts:
            self._answer(HTTPStatus.CONFLICT, {"error": "duplicate reference"})
        else:
            self._answer(HTTPStatus.OK, booked)

    def _is_admitted(self) -> bool:
        self.server.plan.count()
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), self.server.token.encode()):
            return True
        self._answer(HTTPStatus.UNAUTHORIZED, {"error": "the token is wrong"})
        return False

    def _is_broken(self) -> bool:
        """Be slow, silent or closed where that is asked for; tell whether all was said."""
        faults = self.server.plan.faults
        time.sleep(faults.slow_seconds)
        if faults.silent:
            self.close_connection = True
        elif faults.down:
            closed = {"error": "closed"}
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, closed, ("Retry-After", "60"))
        return faults.silent or faults.down

    def _read(self) -> Any:
        length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            return None

    def _answer(self, status: HTTPStatus, body: Any, *headers: tuple[str, str]) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log: accounts stand in the addresses."""
