"""Serving the desk of the office that BILLCLOSE_HOME names, behind the office's own proxy."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from database.migrating import require_schema
from office.clock import Clock
from office.equipment.office import Office
from office.home import require_home
from office.settings.settings import open_settings
from web.desk import desk_of
from web.office.renewing import require_whole
from web.patience import PatientProtocol

# Connections that are open and silent count too: a lower limit would be reached by people who have
# just read a page. The work itself is bounded by the pool of threads that does it, and who sends or
# takes nothing loses the place (web/patience.py).
MOST_CONNECTIONS = 1_000
IDLE_SECONDS = 5
STOP_SECONDS = 15
ASKED_BY_MONITORS = ("/health", "/metrics")
KINDS = 2  # of proxies that make one visitor of all: not known, and silent
LOG = logging.getLogger("billclose.web")


class BehindProxies:
    """
    Know a visitor by the address that the office's own proxies tell, and nobody else.

    A proxy that is not known, or that tells no address, makes one visitor of all: thirty wrong
    passwords of anybody then keep everybody out. The log says so, once of each kind.
    """

    def __init__(self, desk: ASGIApp, office: Office) -> None:
        web = office.settings.web
        believing: Any = (
            ProxyHeadersMiddleware  # its types are of its own, narrower than the desk's
        )
        self._believing: ASGIApp = believing(desk, [*web.proxies])
        self._networks = [ip_network(one) for one in web.proxies]
        self._is_reached_by_proxy = web.is_secure
        self._said: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(self._said) < KINDS:
            self._look(scope)
        await self._believing(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        peer = (scope.get("client") or ("",))[0]
        tells = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
        try:
            address = ip_address(peer)
        except ValueError:
            return
        if not any(address in network for network in self._networks):
            if tells and address.is_private:  # a customer's own address is not for the log
                self._say("unknown", f"{peer} passes requests on and is not in web.proxies")
        elif not tells and self._is_reached_by_proxy and scope["path"] not in ASKED_BY_MONITORS:
            self._say("silent", f"the proxy at {peer} sends no X-Forwarded-For")

    def _say(self, kind: str, what: str) -> None:
        if kind in self._said:
            return
        self._said.add(kind)
        LOG.warning("%s: all its visitors count as one (docs/web.md)", what)


def serve(host: str, port: int, as_of: str = "") -> None:
    """Answer until interrupted; the log goes to standard error and names nobody."""
    home = Path(os.environ.get("BILLCLOSE_HOME", "."))
    require_home(home)
    clock = Clock(lambda: datetime.now(UTC), datetime.fromisoformat(as_of) if as_of else None)
    office = Office(home, open_settings(home), clock, "web desk")
    require_schema(office.database)
    require_whole(office)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvicorn.run(
        BehindProxies(desk_of(office), office),
        proxy_headers=False,  # BehindProxies does that, by the office's settings
        http=PatientProtocol,
        host=host,
        port=port,
        access_log=False,  # it would hold the tokens of the links and who asked
        log_config=None,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
