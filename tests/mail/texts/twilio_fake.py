"""A small stand-in for Twilio's service on this machine: it keeps texts and fails on demand."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from mail.texts.twilio import TwilioAccount

SID, TOKEN, FROM = "AC" + "0" * 32, "made-up-token", "+14355550100"


@dataclass
class Carrier:
    """What the service keeps, and how it answers the next requests."""

    now: Any
    kept: list[dict[str, Any]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # "500", "lost", "21610"; then it works
    url: str = ""
    has_taken: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def take(self, form: dict[str, str]) -> dict[str, Any]:
        text = {
            "sid": f"SM{len(self.kept):032d}",
            "to": form["To"],
            "from": form.get("From"),
            "body": form["Body"],
            "status": "queued",
            "error_code": None,
            "date_created": format_datetime(self.now()),
        }
        self.kept.append(text)
        return text

    @property
    def account(self) -> TwilioAccount:
        return TwilioAccount(SID, SecretStr(TOKEN), FROM, self.url)


@contextmanager
def a_carrier(now):
    carrier = Carrier(now)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if not self._may():
                return
            form = {name: values[0] for name, values in parse_qs(body).items()}
            what = carrier.answers.pop(0) if carrier.answers else ""
            if what == "lost":  # taken, and nobody hears of it
                carrier.take(form)
                self.close_connection = True
            elif what == "held":  # taken, and whoever asked waits for the answer
                carrier.take(form)
                carrier.has_taken.set()
                carrier.goes_on.wait(30)
                self.close_connection = True
            elif what == "cut":  # not taken, and nobody hears of it either
                self.close_connection = True
            elif len(what) == 3:
                self._answer(int(what), {"code": 20000})
            elif what:
                self._answer(400, {"code": int(what), "message": f"about {form['To']}"})
            else:
                self._answer(201, carrier.take(form))

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            if not self._may():
                return
            found = [text for text in carrier.kept if [text["to"]] == asked["To"]]
            page = int(asked.get("Page", ["0"])[0])
            more = f"{self.path}&Page={page + 1}" if found[page + 1 :] else None
            self._answer(200, {"messages": found[page : page + 1], "next_page_uri": more})

        def _may(self) -> bool:
            wanted = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
            if self.headers["Authorization"] != wanted:
                self._answer(401, {"code": 20003})
                return False
            return True

        def _answer(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    carrier.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield carrier
    finally:
        carrier.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
