"""What every request passes first: limits, headers, a log without personal data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.patience import PIECE_SECONDS, TooSlow, patient_receive, patient_send

LARGEST_BODY = 16_384  # octets; a form's one field has far less
LARGEST_WEBHOOK = 524_288
LARGEST_UPLOAD = 2_000_000_000  # a city's bulk PDFs; nobody but staff who may close sends one
UPLOADS = "/office/close/upload"
POSTS = "/office/communications/add"
CORRECTED = "/office/correct"
BANK = "/office/deposits/bank"
LARGEST_BANK_FILE = 10_000_000
PICTURES = "/office/settings/theme/picture"
LARGEST_PICTURE = 10_100_000  # a picture of ten million octets, and the form around it
LARGEST_POST = 50_000_000  # a newsletter, or the small export of one bill
TEMPLATES = "/office/communications/templates"
EDITS, PREVIEWS = f"{TEMPLATES}/edit", f"{TEMPLATES}/preview"
MESSAGES = "/office/communications/messages"
SETTINGS = "/office/settings"
SETTING = f"{SETTINGS}/change"
WRITE = "/office/communications/write"
ATTACHES = f"{WRITE}/look"
TEXT_MANY = "/office/communications/text"
WRITES = (
    WRITE,
    f"{WRITE}/test",
    f"{WRITE}/send",
    TEXT_MANY,
    f"{TEXT_MANY}/test",
    f"{TEXT_MANY}/send",
)
WRITTEN = frozenset(
    {EDITS, PREVIEWS, MESSAGES, SETTING, *WRITES}
)  # forms in which whole texts are written
LARGEST_WRITTEN = 1_000_000
LOG = logging.getLogger("billclose.web")


def policy_for(
    forms_to: Sequence[str] = (), *, has_frame: bool = False, scripts_of: str = ""
) -> str:
    """
    Return the policy of a page (CSP); its forms may lead on to `forms_to` as well.

    `has_frame` is of a page that shows another of ours in a frame; `scripts_of` is an origin
    whose script the page loads and whose frames that shows.
    """
    forms = " ".join(("'self'", *forms_to))
    framed = " ".join([*(["'self'"] if has_frame else []), *([scripts_of] if scripts_of else [])])
    frames = f"frame-src {framed}; " if framed else ""
    scripts = f"'self' {scripts_of}".strip()
    return (
        f"default-src 'none'; style-src 'self'; script-src {scripts}; img-src 'self' data:; "
        f"{frames}connect-src 'self'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
    )


# A page that somebody has written: it runs nothing, loads nothing, and is nobody's origin.
SANDBOXED = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'"
)


HEADERS = (
    (b"content-security-policy", policy_for().encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)  # fmt: skip


# Where the desk is reached by TLS: browsers then come by nothing else for a year.
OVER_TLS = ((b"strict-transport-security", b"max-age=31536000"),)

# Mail programs, gateways and Apple post there from elsewhere, with a secret of their own.
FROM_ELSEWHERE = ("/unsubscribe/", "/webhooks/", "/oidc/apple/callback")


class RequestTooLarge(Exception):
    """More came than a request here may have."""


class Guard:
    """
    Holds each request to its size and its time, and adds the headers that keep an answer private.

    The log tells method, first part of the path, status and time: the rest of a path is a secret
    or says who asked, and an address is personal too.
    """

    def __init__(
        self,
        app: ASGIApp,
        largest: Callable[[str], int],
        seconds: float = PIECE_SECONDS,
        *,
        by_tls: bool = False,
    ) -> None:
        self._app = app
        self._headers = (*HEADERS, *OVER_TLS) if by_tls else HEADERS
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send_plainly, is_begun = send, False
        receive, send = patient_receive(receive, self._seconds), patient_send(send, self._seconds)
        started, status = time.monotonic(), 500
        most, received = self._largest(scope["path"]), 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise RequestTooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal status, is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                status = message["status"]
                message = {**message, "headers": self._dressed(message)}
            await send(message)

        try:
            if _announced(scope) > most:
                raise RequestTooLarge
            if _is_from_elsewhere(scope):
                await dressed({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b"Open the page again.\n"})
                return
            await self._app(scope, bounded, dressed)
        except TooSlow:
            if not is_begun:
                await send_plainly({"type": "http.response.start", "status": 408, "headers": []})
                await send_plainly({"type": "http.response.body", "body": b""})
            status = 408  # of an answer that is begun uvicorn ends the connection
        except RequestTooLarge:
            status = 413
            await dressed({"type": "http.response.start", "status": 413, "headers": []})
            await send({"type": "http.response.body", "body": b"Too large.\n"})
        finally:
            took = time.monotonic() - started
            LOG.info("%s %s %d %.3f s", scope["method"], _first_part(scope["path"]), status, took)

    def _dressed(self, message: Message) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer with those that it has not set itself."""
        own = list(message.get("headers", ()))
        known = {name.lower() for name, _ in own}
        return own + [(name, value) for name, value in self._headers if name not in known]


def largest_of(path: str) -> int:
    """Return how many octets the body of a request to a path may have."""
    if path == UPLOADS:
        return LARGEST_UPLOAD
    if path == BANK:
        return LARGEST_BANK_FILE
    if path in (POSTS, CORRECTED, ATTACHES):
        return LARGEST_POST
    if path == PICTURES:
        return LARGEST_PICTURE
    if path in WRITTEN:
        return LARGEST_WRITTEN
    return LARGEST_WEBHOOK if path.startswith("/webhooks/") else LARGEST_BODY


def say_limit(path: str) -> str:
    """Write the limit of a path as people say it: `2 GB`, `50 MB`, `16 KB`."""
    size, unit = float(largest_of(path)), "octets"
    for larger in ("KB", "MB", "GB"):
        if size >= 1_000:
            size, unit = size / 1_000, larger
    return f"{size:.0f} {unit}"


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else LARGEST_WEBHOOK + 1
    return 0


def _is_from_elsewhere(scope: Scope) -> bool:
    """Tell whether another site's page sends a form to us, by what the browser says of it."""
    if scope["method"] != "POST" or scope["path"].startswith(FROM_ELSEWHERE):
        return False
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    site = headers.get(b"sec-fetch-site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get(b"origin", "")
    return bool(origin) and origin.partition("//")[2] != headers.get(b"host", "")


def _first_part(path: str) -> str:
    """Return `/exports` for any export; what nobody serves is told apart from it by nothing."""
    first = path.split("/")[1:2]
    known = (
        *(
            "unsubscribe",
            "exports",
            "communications",
            "webhooks",
            "health",
            "metrics",
            "static",
            "theme",
        ),
        *("register", "verify", "sign-in", "second-step", "sign-out", "forgot", "recover"),
        *("reset", "invite", "link", "unlock", "not-me", "oidc", "texts", "add-method"),
        *(
            "accounts",
            "bills",
            "usage",
            "news",
            "wallet",
            "account",
            "payments",
            "cart",
            "other",
            "guest",
            "sandbox",
            "office",
            "csr",
        ),
    )
    return f"/{first[0]}" if first and first[0] in known else "(other)"
