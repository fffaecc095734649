"""What monitors ask: is the office well."""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from office.equipment.office import Office
from office.health.health import look, without_books
from web.mailed_links import office_of

FRESH_SECONDS = 10.0  # a look asks servers: whoever asks more often is told the same
SHOWN = ("name", "state", "since")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@dataclass
class LastLook:
    """The newest look at the office's health, which all that ask share."""

    office: Office
    _found: dict[str, Any] = field(default_factory=dict)
    _at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def figures(self) -> dict[str, Any]:
        with self._lock:
            if not self._found or time.monotonic() - self._at >= FRESH_SECONDS:
                self._found, self._at = _look(self.office), time.monotonic()
            return self._found


def tell_health(request: Request) -> Response:
    """
    Tell which conditions stand how, without details: their words are for the office.

    Whoever has the token of the settings may ask, and without one set whoever is on this machine
    and was not passed on from another.
    """
    office = office_of(request)
    if not _may_ask(request, office.settings.web.health_token.get_secret_value()):
        return PlainTextResponse("Not for you.\n", status_code=403)
    last: LastLook = request.app.state.last_look
    return JSONResponse(last.figures())


def tell_metrics(request: Request) -> Response:
    """Give Prometheus the office's figures, to whoever may ask for its health."""
    office = office_of(request)
    if not _may_ask(request, office.settings.web.health_token.get_secret_value()):
        return PlainTextResponse("Not for you.\n", status_code=403)
    from office.health.metrics import CONTENT_TYPE, scrape  # loaded where somebody scrapes

    return Response(scrape(office), media_type=CONTENT_TYPE)


def _look(office: Office) -> dict[str, Any]:
    try:
        figures = look(office).to_figures()
    except OperationalError:
        figures = without_books(office.clock.wall(), office.command).to_figures()
    conditions = [{name: one[name] for name in SHOWN} for one in figures["conditions"]]
    return {"status": figures["status"], "conditions": conditions}


def _may_ask(request: Request, token: str) -> bool:
    if token:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    is_passed_on = any(name in request.headers for name in FORWARDED)
    return not is_passed_on and _is_loopback(request.client.host if request.client else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
