"""What was done to the same books before, done again by copying what came of it."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, TypeVar

from database.books import Database
from tests.used_postgres import State, used_at

Outcome = TypeVar("Outcome")
KEPT = 48  # states of books; those of one file's tests follow each other


@dataclass(frozen=True, slots=True)
class _Done:
    """Books after something was done: as a file, and as what a connection takes over."""

    file: bytes
    books: sqlite3.Connection
    outcome: Any


_done: OrderedDict[bytes, _Done] = OrderedDict()
_done_there: OrderedDict[bytes, tuple[State, Any]] = OrderedDict()  # on PostgreSQL


def as_done_before(database: Database, what: str, do: Callable[[], Outcome]) -> Outcome:
    """
    Do something that depends on nothing but the books and `what` says, or copy what came of it.

    Hundreds of tests close the same small town. Books that differ in one byte are other books.
    Beside other threads of the test, and in books that no other test uses on PostgreSQL, it is done
    each time.
    """
    if current_thread() is not main_thread():
        return do()
    if not database.is_sqlite:
        return _on_postgres(database.url, what, do)
    if is_unopened(database):
        file = _file(database)
        key = _key(file.read_bytes(), what)
        if key in _done:
            _done.move_to_end(key)
            file.write_bytes(_done[key].file)
            return _done[key].outcome  # type: ignore[no-any-return]
    else:
        with database.engine.connect() as connection:
            books: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            key = _key(books.serialize(), what)
            if key in _done:
                _done.move_to_end(key)
                _done[key].books.backup(books)
                return _done[key].outcome  # type: ignore[no-any-return]
    outcome = do()
    with database.engine.connect() as connection:
        books = connection.connection.driver_connection  # type: ignore[assignment]
        kept = sqlite3.connect(":memory:")
        books.backup(kept)
        _done[key] = _Done(books.serialize(), kept, outcome)
    if len(_done) > KEPT:
        _done.popitem(last=False)[1].books.close()
    return outcome


def _on_postgres(url: str, what: str, do: Callable[[], Outcome]) -> Outcome:
    used = used_at(url)
    before = used.state() if used else None
    if not used or not before:
        return do()
    key = before.digest(what)
    if key in _done_there:
        _done_there.move_to_end(key)
        after, known = _done_there[key]
        used.change(before, after)
        return known  # type: ignore[no-any-return]
    outcome = do()
    state = used.state()
    if state:
        _done_there[key] = state, outcome
    if len(_done_there) > KEPT:
        _done_there.popitem(last=False)
    return outcome


def is_unopened(database: Database) -> bool:
    """
    Tell whether the books are a file that nobody has opened: then it can be written over.

    To open it takes longer than anything else here: SQLite reads of every table.
    """
    if not database.is_sqlite or database._engines:
        return False
    file = _file(database)
    beside = (file.with_name(file.name + ending) for ending in ("-wal", "-shm"))
    return file.is_file() and not any(one.exists() for one in beside)


def _file(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


def _key(books: bytes, what: str) -> bytes:
    return blake2b(books, key=blake2b(what.encode()).digest()).digest()
