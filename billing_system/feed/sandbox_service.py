"""A small billing system over HTTP that fails on demand: for tests, the demo and rehearsals."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from billing_system.feed.sandbox_books import SandboxBillingBooks

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 100_000
_NUMBERED = re.compile(r"/(feed|changes)/([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class BillingFaults:
    """
    What goes wrong; numbers say how many more times.

    `down` answers 503, `lose_answers` does what was asked and hangs up, `damages` sends a file
    with bytes missing. `loses_files` never have been written, as far as anybody can see;
    `backwards` lists the newest file first, `doubled` lists each twice. `refuses` are fields that
    no customer may change, `slow_to_take` answers that a choice was told and is not taken yet.
    """

    down: bool = False
    lose_answers: int = 0
    damages: int = 0
    slow_seconds: float = 0.0
    loses_files: tuple[int, ...] = ()
    backwards: bool = False
    doubled: bool = False
    refuses: tuple[str, ...] = ()
    slow_to_take: bool = False

    @classmethod
    def parse(cls, written: Any) -> BillingFaults:
        """Read faults from JSON; raises TypeError or ValueError with what is wrong."""
        if not isinstance(written, dict):
            raise TypeError("faults are an object")
        names = {one.name for one in dataclasses.fields(cls)}
        if unknown := sorted(set(written) - names):
            raise ValueError(f"there is no fault {unknown[0]}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in written.items()
        }
        faults = cls(**values)
        for one in dataclasses.fields(cls):
            if type(getattr(faults, one.name)) not in (type(one.default), int):
                raise TypeError(f"{one.name} is no {type(one.default).__name__}")
        return faults


@dataclass(slots=True)
class _Plan:
    """The faults as they stand, shared by the service's threads."""

    faults: BillingFaults
    turn: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str) -> bool:
        """Let a numbered fault strike once, if it still does."""
        with self.turn:
            left: int = getattr(self.faults, name)
            if left > 0:
                fewer: dict[str, Any] = {name: left - 1}
                self.faults = dataclasses.replace(self.faults, **fewer)
            return left > 0


class SandboxBillingServer(ThreadingHTTPServer):
    """The service; only this machine reaches it. `clock` gives the utility's local time."""

    daemon_threads = True

    def __init__(
        self,
        port: int,
        books: SandboxBillingBooks,
        clock: Callable[[], datetime],
        token: str = "",
        utility: str = "",
        faults: BillingFaults | None = None,
    ) -> None:
        self.books = books
        self.clock = clock
        self.token = token
        self.utility = utility
        self.plan = _Plan(faults or BillingFaults())
        super().__init__((LOOPBACK, port), _BillingDesk)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def take_receipt(self, entry: Mapping[str, Any]) -> None:
        """Book what cash receipting has entered, at the service's own time."""
        self.books.take_receipt(entry, self.clock())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that did not wait for its answer."""

    def server_close(self) -> None:
        super().server_close()
        self.books.close()


def open_billing_sandbox(
    path: Path, clock: Callable[[], datetime], *, port: int = 0, token: str = "", utility: str = ""
) -> SandboxBillingServer:
    """Open the service on its database; whoever calls lets it serve. Raises OSError."""
    return SandboxBillingServer(port, SandboxBillingBooks(path), clock, token, utility)


class _BillingDesk(BaseHTTPRequestHandler):
    server: SandboxBillingServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        place, books = urlsplit(self.path), self.server.books
        if not self._is_admitted(place.path):
            return
        numbered = _NUMBERED.fullmatch(place.path)
        if place.path == "/faults":
            self._answer(HTTPStatus.OK, dataclasses.asdict(self.server.plan.faults))
        elif place.path == "/feed":
            after = parse_qs(place.query).get("after", ["0"])[0]
            self._answer(HTTPStatus.OK, {"files": self._listed(int(after))})
        elif place.path == "/changes":
            self._answer(HTTPStatus.OK, {"changes": books.choices()})
        elif numbered and numbered[1] == "feed":
            self._send_file(int(numbered[2]))
        elif numbered and (choice := books.choice(int(numbered[2]))):
            self._say_choice(choice)
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def do_PUT(self) -> None:
        body = self._read()
        if not self._is_admitted(self.path):
            return
        numbered = _NUMBERED.fullmatch(self.path)
        if self.path == "/faults":
            try:
                self.server.plan.faults = BillingFaults.parse(body)
            except (TypeError, ValueError) as wrong:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(wrong)})
                return
            self._answer(HTTPStatus.OK, dataclasses.asdict(self.server.plan.faults))
        elif numbered and numbered[1] == "changes" and isinstance(body, dict):
            self._take(int(numbered[2]), body)
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        """Play the clerk there: book a movement, change an account, write the file, decide."""
        body, books = self._read(), self.server.books
        if not self._is_admitted(self.path):
            return
        said = body if isinstance(body, dict) else {}
        try:
            if self.path == "/movements":
                self._answer(HTTPStatus.CREATED, books.book(said))
            elif self.path == "/accounts":
                books.change(str(said.pop("account_number", "")), said)
                self._answer(HTTPStatus.CREATED, {"changed": sorted(said)})
            elif self.path == "/feed":
                written = said.get("written_at")
                at = datetime.fromisoformat(written) if written else self.server.clock()
                self._answer(HTTPStatus.CREATED, {"file": books.write_file(at)})
            elif self.path == "/decisions":
                books.decide(str(said.get("state", "taken")))
                self._answer(HTTPStatus.OK, {})
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
        except ValueError as wrong:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(wrong)})

    def _listed(self, after: int) -> list[int]:
        faults = self.server.plan.faults
        numbers = [n for n in self.server.books.numbers(after) if n not in faults.loses_files]
        if faults.backwards:
            numbers.reverse()
        return numbers * 2 if faults.doubled else numbers

    def _send_file(self, number: int) -> None:
        plan = self.server.plan
        packed = self.server.books.packed(number, self.server.utility)
        if packed is None or number in plan.faults.loses_files:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is no such file"})
            return
        digest = hashlib.sha256(packed).hexdigest()
        if plan.take("damages"):
            packed = packed[: len(packed) // 2]
        self._write(HTTPStatus.OK, packed, "application/zip", ("Digest", f"sha-256={digest}"))

    def _take(self, number: int, choice: dict[str, Any]) -> None:
        plan, state, reason = self.server.plan, "taken", ""
        if choice.get("field") in plan.faults.refuses:
            state, reason = "refused", f"{choice['field']} is not for customers to change"
        elif plan.faults.slow_to_take:
            state = "told"
        self.server.books.take(number, choice, state, reason)
        if plan.take("lose_answers"):
            self.close_connection = True
        elif (kept := self.server.books.choice(number)) is not None:
            self._say_choice(kept)

    def _say_choice(self, choice: dict[str, Any]) -> None:
        answers = {"told": HTTPStatus.ACCEPTED, "refused": HTTPStatus.UNPROCESSABLE_ENTITY}
        status = answers.get(choice["state"], HTTPStatus.OK)
        self._answer(status, choice | {"error": choice["reason"]})

    def _is_admitted(self, path: str) -> bool:
        """Tell whether the request is served: its token, and what the faults let through."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            self._answer(HTTPStatus.UNAUTHORIZED, {"error": "the token is wrong"})
            return False
        faults = self.server.plan.faults
        if path != "/faults":
            time.sleep(faults.slow_seconds)
            if faults.down:
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "closed"})
                return False
        return True

    def _read(self) -> Any:
        length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            return None

    def _answer(self, status: HTTPStatus, body: Any) -> None:
        self._write(status, json.dumps(body).encode(), "application/json")

    def _write(self, status: HTTPStatus, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log: accounts stand in the addresses."""
