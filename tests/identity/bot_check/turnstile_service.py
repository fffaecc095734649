"""A stand-in for Turnstile's service: it takes each token that a person was given once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SITE_KEY, SECRET, PERSON = "0x-site", "0x-secret", "person-"
SCRIPT = """const show = () => {
  const place = document.querySelector(".cf-turnstile");
  const field = document.createElement("input");
  field.type = "hidden"; field.name = "cf-turnstile-response";
  field.value = "person-" + Math.random();
  const frame = document.createElement("iframe");
  const own = document.querySelector("script[async]").src;
  frame.title = "Turnstile"; frame.src = new URL("/frame", own);
  place.append(field, frame);
};
if (document.readyState === "loading") addEventListener("DOMContentLoaded", show); else show();"""


@dataclass
class TurnstileService:
    """What it answers: `says` in the place of a verdict, where that is set."""

    url: str = ""
    says: tuple[int, str] | None = None
    seen: set[str] = field(default_factory=set)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def verdict(self, form: dict[str, list[str]]) -> dict[str, Any]:
        self.asked.append(form)
        token = form.get("response", [""])[0]
        if form.get("secret") != [SECRET]:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        if token in self.seen:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        if not token.startswith(PERSON):
            return {"success": False, "error-codes": ["invalid-input-response"]}
        self.seen.add(token)
        return {"success": True, "error-codes": [], "hostname": "pay.larkspur.example"}


@contextmanager
def turnstile_service() -> Iterator[TurnstileService]:
    """Serve one at a port of this machine until the block is left."""
    service = TurnstileService()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text = service.says or (200, json.dumps(service.verdict(parse_qs(body))))
            self._send(status, "application/json", text)

        def do_GET(self) -> None:
            is_script = self.path == "/turnstile/v0/api.js"
            kind, text = (
                ("text/javascript", SCRIPT) if is_script else ("text/html", "<title>T</title>")
            )
            self._send(200, kind, text)

        def _send(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_given: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
