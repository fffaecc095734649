"""A home: its folder, its books and its bill store, as the settings name them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from database.books import Database, DatabasePool
from domain.failures import Misuse
from office.clock import Clock
from office.settings.settings import Settings

if TYPE_CHECKING:  # equipment is loaded by the first command that needs it
    from splitter.store.bill_store import BillStore

PRIVATE_FOLDER = 0o700


def database_url(home: Path, settings: Settings) -> str:
    """Return where the books are; a file without a folder of its own lies in the home."""
    chosen = settings.database.url or "sqlite:///billclose.db"
    file = chosen.removeprefix("sqlite:///")
    if file != chosen and file and not file.startswith(("/", ":", "file:")):
        return f"sqlite:///{home.resolve() / file}"
    return chosen


def bill_store(home: Path, settings: Settings) -> BillStore:
    from splitter.store.bill_store import BillStore

    chosen = settings.bills.store
    return BillStore(chosen if "://" in chosen else home / chosen)


def open_database(home: Path, settings: Settings, clock: Clock | None = None) -> Database:
    """Return the books of a home, with the connections that its settings allow."""
    chosen = settings.database
    pool = DatabasePool(
        chosen.pool_size, chosen.pool_overflow, chosen.pool_timeout, chosen.connect_timeout
    )
    url = database_url(home, settings)
    if clock is None:
        return Database(url, pool)
    return Database(url, pool, machine_clock=clock.wall, rehearsed=clock.as_of is not None)


def require_home(home: Path) -> None:
    """Raise Misuse where the home is no folder that we can write to."""
    if not home.is_dir():
        raise Misuse(f"There is no office in {home}; run `billclose --home {home} init`.", "home")
    if not os.access(home, os.W_OK | os.X_OK):
        raise Misuse(f"The home {home} cannot be written to; check its owner and mode.", "home")


def private_folder(place: Path) -> Path:
    """Return a folder that is its owner's alone, made if need be; raises Misuse."""
    try:
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as fault:
        raise Misuse(f"{place} cannot be made: {fault.strerror}.", "home") from None
    return place
