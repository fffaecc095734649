"""Memory that is given back once it is free."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from data_checks.memory import forget_pages, give_back_memory

PAGE = 4096


def resident():
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library")
def test_what_is_freed_below_something_that_stays_is_given_back():
    size, count = 100_000, 1_000  # each below what the library asks the system for by itself
    pieces = [bytearray(size) for _ in range(count)]
    stays = bytearray(size)
    pieces.clear()
    before = resident()

    give_back_memory()

    assert resident() <= before
    assert size == len(stays)


def test_a_connection_forgets_its_pages_and_reads_on(database):
    with database.reading() as books:
        forget_pages(books)

        assert 1 == books.exec_driver_sql("SELECT 1").scalar_one()
