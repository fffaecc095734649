"""A small cash-receipting service over HTTP that fails on demand: for tests and rehearsals."""

from __future__ import annotations

import dataclasses
import hmac
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from domain.money import Money

KINDS = ("receipt", "reversal", "fee", "service-fee", "service-fee-back")
FIELDS = ("key", "kind", "account", "amount", "method", "confirmation", "taken_on", "reverses")
TABLE = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, kind TEXT NOT NULL,
    account TEXT NOT NULL, amount TEXT NOT NULL, method TEXT NOT NULL, confirmation TEXT NOT NULL,
    taken_on TEXT NOT NULL, reverses TEXT
)
"""


class SandboxBooks:
    """Entries in the order in which they came; the same key may stand twice if nobody looks."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        self._turn = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute(TABLE)
        self._connection.execute("CREATE INDEX IF NOT EXISTS entry_by_key ON entry (key)")

    def enter(self, entry: dict[str, Any], *, once: bool) -> tuple[dict[str, Any], bool]:
        """
        Book an entry; return it with its number, and whether it is new.

        `once`: what stands under the key already is returned instead.
        """
        with self._turn:
            known = self._find(entry["key"]) if once else []
            if known:
                return known[0], False
            marks = ", ".join("?" * len(FIELDS))
            values = [entry.get(name) for name in FIELDS]
            self._connection.execute(
                f"INSERT INTO entry ({', '.join(FIELDS)}) VALUES ({marks})", values
            )
            return self._find(entry["key"])[-1], True

    def find(self, key: str) -> list[dict[str, Any]]:
        with self._turn:
            return self._find(key)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def _find(self, key: str) -> list[dict[str, Any]]:
        query = "SELECT * FROM entry WHERE key = ? ORDER BY number"
        rows = self._connection.execute(query, (key,)).fetchall()
        return [_to_answer(dict(row)) for row in rows]


def fault_of(entry: Any) -> str:
    """Say what is wrong with an entry as it came; empty where nothing is."""
    if not isinstance(entry, dict):
        return "the body is no object"
    for name in FIELDS:
        if not isinstance(entry.get(name), str) and name != "reverses":
            return f"{name} is missing"
    if entry["kind"] not in KINDS:
        return f"kind is none of {', '.join(KINDS)}"
    try:
        is_positive = Money.parse(entry["amount"]) > Money(0)
    except ValueError:
        is_positive = False
    return "" if is_positive else "amount is not above zero"


def _to_answer(row: dict[str, Any]) -> dict[str, Any]:
    return {"receipt": f"CR{row.pop('number'):07d}"} | row


@dataclass(frozen=True, slots=True)
class ServiceFaults:
    """
    What goes wrong; numbers say how many more times.

    `error_before` and `error_after` are answers of 500 before and after the booking,
    `lose_answers` books and hangs up, `silent` hangs up at once, `down` says 503 and when to come
    back. `conflicts` answers 409 to a key that is known.
    """

    down: bool = False
    silent: bool = False
    slow_seconds: float = 0.0
    error_before: int = 0
    error_after: int = 0
    lose_answers: int = 0
    rejects: tuple[str, ...] = ()
    forgets_keys: bool = False
    conflicts: bool = False

    @classmethod
    def parse(cls, written: Any) -> ServiceFaults:
        """Read faults from JSON; raises TypeError or ValueError with what is wrong."""
        if not isinstance(written, dict):
            raise TypeError("faults are an object")
        values = dict(written)
        for name, value in values.items():
            known = cls.__dataclass_fields__.get(name)
            if known is None:
                raise ValueError(f"there is no fault {name}")
            if isinstance(known.default, tuple):
                values[name] = tuple(str(one) for one in value)
            elif isinstance(known.default, float):
                values[name] = float(value)
            elif type(value) is not type(known.default):
                raise TypeError(f"{name} is no {type(known.default).__name__}")
        return cls(**values)


class FaultPlan:
    """The faults as they stand, used by the threads of the service, and its requests counted."""

    def __init__(self, faults: ServiceFaults) -> None:
        self._turn = threading.Lock()
        self.faults = faults
        self.requests = 0

    def take(self, name: str) -> bool:
        """Let a numbered fault strike once, if it still does."""
        with self._turn:
            left = getattr(self.faults, name)
            if left > 0:
                self.faults = dataclasses.replace(self.faults, **{name: left - 1})
            return bool(left > 0)

    def count(self) -> None:
        with self._turn:
            self.requests += 1

    def replace(self, faults: ServiceFaults) -> None:
        with self._turn:
            self.faults = faults

    def to_json(self) -> dict[str, Any]:
        with self._turn:
            return dataclasses.asdict(self.faults) | {"requests": self.requests}


LOOPBACK = "127.0.0.1"
LARGEST_BODY = 100_000


def _tell_nobody(_entry: dict[str, Any]) -> None:
    """No billing system stands behind this one."""


class SandboxServer(ThreadingHTTPServer):
    """The service; only this machine reaches it. `tell` hears of each new entry."""

    daemon_threads = True

    def __init__(
        self,
        port: int,
        books: SandboxBooks,
        token: str,
        faults: ServiceFaults,
        tell: Callable[[dict[str, Any]], None] = _tell_nobody,
    ) -> None:
        self.books = books
        self.token = token
        self.tell = tell
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
    path: Path,
    *,
    port: int = 0,
    token: str = "",
    faults: ServiceFaults | None = None,
    tell: Callable[[dict[str, Any]], None] = _tell_nobody,
) -> SandboxServer:
    """Open the service on its database; whoever calls lets it serve. Raises OSError."""
    return SandboxServer(port, SandboxBooks(path), token, faults or ServiceFaults(), tell)


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
            self.server.plan.replace(ServiceFaults.parse(body))
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
        if is_new:
            self.server.tell(booked)
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
