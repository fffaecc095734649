"""A worker of its own process, whose clock starts at the moment of the tests."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta

from pydantic import SecretStr

from cash_receipting.posting import post_due
from cash_receipting.rest import RestReceipting
from database.books import Database
from database.postings import count_unposted
from tests.cash_receipting.builders import NOW


def work(database_url: str, service_url: str, seconds: float) -> None:
    """Post with keys that the service forgets, so that a second entry would be seen."""
    books = Database(database_url)
    service = RestReceipting(
        service_url, SecretStr(""), keeps_keys=False, longest_in_flight=timedelta(seconds=1)
    )
    started = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - started)

    while count_unposted(books).count and time.monotonic() < started + seconds:
        post_due(books, service, clock)
        time.sleep(0.05)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], float(sys.argv[3]))
