"""A provider of accounts on this machine, as Google and Apple are: it signs with RS256."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "billclose-tests", "made-up-secret"


@dataclass
class Provider:
    """Who is signed in there, and how it answers; `claims` change what the next token says."""

    issuer: str = ""
    keys: list[RSAKey] = field(default_factory=list)
    subject: str = "subject-of-ann"
    email: str = "ann@elsewhere.example"
    claims: dict[str, Any] = field(default_factory=dict)
    signs_with: RSAKey | None = None
    is_away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def begin_anew(self) -> None:
        self.keys = [a_key("first")]
        self.subject, self.email = "subject-of-ann", "ann@elsewhere.example"
        self.claims, self.signs_with, self.is_away = {}, None, False

    def agree(self, address: str) -> dict[str, str]:
        """Let the person at the provider's page say yes; return what is sent back to us."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def token_of(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["code_challenge_method"] != "S256"
            or asked["redirect_uri"] != form.get("redirect_uri")
            or (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET)
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": self.subject, "email": self.email,
            "nonce": asked["nonce"], "iat": now, "exp": now + 300,
        } | self.claims  # fmt: skip
        key = self.signs_with or self.keys[-1]
        header = {"alg": "RS256", "kid": key.kid}
        told = {name: value for name, value in claims.items() if value is not None}
        return {
            "access_token": "x",
            "token_type": "Bearer",
            "id_token": jwt.encode(header, told, key),
        }


@cache
def a_key(name: str) -> RSAKey:
    """Return the key of a name, the same each time: making one takes as long as many a test."""
    return new_key(name)


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


@contextmanager
def a_provider():
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            if provider.is_away:
                self._answer(503, {})
            elif self.path == "/.well-known/openid-configuration":
                self._answer(200, {
                    "issuer": provider.issuer,
                    "authorization_endpoint": f"{provider.issuer}/authorize",
                    "token_endpoint": f"{provider.issuer}/token",
                    "jwks_uri": f"{provider.issuer}/keys",
                })  # fmt: skip
            elif self.path.startswith("/authorize?"):
                self._ask_person()
            else:
                self._answer(200, {"keys": [key.as_dict(private=False) for key in provider.keys]})

        def _ask_person(self) -> None:
            """Show a browser the page on which a person says yes."""
            asked = dict(parse_qsl(urlsplit(self.path).query))
            told = urlencode(provider.agree(self.path))
            page = f'<h1>Elsewhere</h1><a href="{asked["redirect_uri"]}?{escape(told)}">Yes</a>'
            body = f"<!doctype html><title>Elsewhere</title>{page}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            token = None if provider.is_away else provider.token_of(form)
            status = 503 if provider.is_away else 200 if token else 400
            self._answer(status, token or {"error": "invalid_grant"})

        def _answer(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
