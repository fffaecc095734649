"""A process that posts what is due; its clock starts at the moment of the tests."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

from pydantic import SecretStr

from cash_receipting.posting import post_due
from cash_receipting.rest import RestReceipting
from database.books import Database
from database.postings import count_unposted
from tests.cash_receipting.builders import NOW
from tests.forked import forks, load_before_forks

load_before_forks(__name__)


def start_worker(database_url: str, service_url: str, seconds: float) -> BaseProcess:
    """Start one, forked from a process that has everything loaded."""
    process = forks().Process(target=work, args=(database_url, service_url, seconds))
    process.start()
    return process


def work(database_url: str, service_url: str, seconds: float) -> None:
    """
    Post with keys that the service forgets, so that a second entry would be seen.

    It tries once at least: on a busy machine the time is over before it has opened the books.
    """
    books = Database(database_url)
    service = RestReceipting(
        service_url, SecretStr(""), keeps_keys=False, longest_in_flight=timedelta(seconds=1)
    )
    started = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - started)

    while count_unposted(books).count:
        post_due(books, service, clock)
        if time.monotonic() > started + seconds:
            break
        time.sleep(0.05)
