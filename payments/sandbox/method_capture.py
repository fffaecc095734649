"""The sandbox's page for adding a payment method: its visits, in a file of their own."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from database.own_file import OwnFile
from domain.failures import PermanentFailure
from payments.method_capture import CapturedMethod, CapturePage, CaptureRequest
from payments.sandbox.test_methods import BY_TOKEN, TEST_METHODS, TestMethod

PAGE = "/sandbox/methods/"
TABLES = """
CREATE TABLE IF NOT EXISTS visit (
    key TEXT PRIMARY KEY, customer TEXT NOT NULL, returns_to TEXT NOT NULL, begun_at TEXT NOT NULL,
    token TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offered (
    key TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (key, kind)
) WITHOUT ROWID;
"""


class SandboxCapture:
    """Lets a customer choose among test tokens where a real gateway would ask for a card."""

    def __init__(self, path: Path, wall: Callable[[], datetime]) -> None:
        self._file = OwnFile(path, TABLES, name="the sandbox's page for payment methods")
        self._wall = wall

    def begin(self, request: CaptureRequest) -> CapturePage:
        with self._file.writing() as visits:
            visits.execute(
                "INSERT OR IGNORE INTO visit (key, customer, returns_to, begun_at)"
                " VALUES (?, ?, ?, ?)",
                (request.key, request.customer, request.returns_to, self._wall().isoformat()),
            )
            visits.executemany(
                "INSERT OR IGNORE INTO offered (key, kind) VALUES (?, ?)",
                [(request.key, kind) for kind in request.kinds],
            )
        return CapturePage(PAGE + request.key, request.key)

    def finish(self, key: str, reference: str) -> CapturedMethod | None:
        with self._file.writing() as visits:
            row = visits.execute("SELECT * FROM visit WHERE key = ?", (reference,)).fetchone()
        if row is None or key != reference:
            raise PermanentFailure("The sandbox knows no such visit to its page.")
        if not row["token"]:
            return None
        known = BY_TOKEN[str(row["token"]).partition(".")[0]]
        return CapturedMethod(
            row["token"], known.kind, known.last4, known.brand, self._expires_on(known)
        )

    def returns_to(self, key: str) -> str | None:
        """Return where the page of a visit leads; None: there is no such visit."""
        with self._file.writing() as visits:
            row = visits.execute("SELECT returns_to FROM visit WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row["returns_to"])

    def offered(self, key: str) -> tuple[TestMethod, ...]:
        """Return the test methods of the kinds that a visit is for."""
        with self._file.writing() as visits:
            rows = visits.execute("SELECT kind FROM offered WHERE key = ?", (key,)).fetchall()
        kinds = {str(row["kind"]) for row in rows}
        return tuple(one for one in TEST_METHODS if one.kind in kinds)

    def choose(self, key: str, token: str) -> None:
        """Take down what was chosen among the offered; what was chosen first stays."""
        if BY_TOKEN[token] not in self.offered(key):
            raise PermanentFailure("The sandbox's page did not offer that.")
        own = f"{BY_TOKEN[token].token}.{secrets.token_hex(6)}"
        with self._file.writing() as visits:
            visits.execute("UPDATE visit SET token = ? WHERE key = ? AND token = ''", (own, key))

    def _expires_on(self, known: TestMethod) -> date | None:
        """A test card is good to the end of the year after next, an expired one no more."""
        if known.kind is not known.kind.CARD:
            return None
        years = -1 if known.token.endswith("expired_card") else 2
        return date(self._wall().year + years, 12, 31)
