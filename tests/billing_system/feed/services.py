"""A billing system that runs while a test does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from billing_system.feed.sandbox_service import SandboxBillingServer, open_billing_sandbox

NIGHT = datetime(2026, 11, 10, 17)


@contextmanager
def a_billing_system(place: Path, *, token: str = "") -> Iterator[SandboxBillingServer]:
    server = open_billing_sandbox(place / "billing.db", lambda: NIGHT, token=token)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
