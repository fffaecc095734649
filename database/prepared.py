"""Queries whose text is made once: those of the pages that customers ask for most."""

from __future__ import annotations

import logging
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult, Dialect

Convert = Callable[[Any], Any]
LOG = logging.getLogger(__name__)
KEPT = 64  # texts of one query: one for each length of its lists


@dataclass(frozen=True, slots=True)
class _Given:
    """What stands for a value while a text is made: that of a name, or one of a list of them."""

    name: str
    at: int | None = None


class _Text:
    """The text of a query for one kind of database and lists of certain lengths."""

    def __init__(self, query: Any, dialect: Dialect, lengths: Mapping[str, int | None]) -> None:
        marks = {
            name: _Given(name) if length is None else [_Given(name, at) for at in range(length)]
            for name, length in lengths.items()
        }
        made = query.params(marks).compile(
            dialect=dialect, compile_kwargs={"render_postcompile": True}
        )
        self.said = str(made)
        self.is_sqlite = dialect.name == "sqlite"
        self.readers: list[tuple[int, Convert]] | None = None  # known with the first answer
        self._names: list[str] | None = made.positiontup
        self._written: dict[str, Any] = {}  # what the query itself says, as the driver takes it
        self._given: list[tuple[str, _Given]] = []
        self._converts: dict[str, Convert] = {}
        for name, value in made.params.items():
            known = value.name if isinstance(value, _Given) else name
            bound = made.binds.get(known)
            if bound is None:  # one of a list that the query itself says: `state_1_2` of `state_1`
                bound = made.binds[known.rpartition("_")[0]]
            convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if not isinstance(value, _Given):
                self._written[name] = value if convert is None else convert(value)
                continue
            self._given.append((name, value))
            if convert is not None:
                self._converts[value.name] = convert

    def values(self, given: Mapping[str, Any]) -> Any:
        """Return what is given as the driver takes it, with what the query itself says."""
        values = self._written.copy()
        for name, mark in self._given:
            value = given[mark.name] if mark.at is None else given[mark.name][mark.at]
            convert = self._converts.get(mark.name)
            values[name] = value if convert is None else convert(value)
        return values if self._names is None else tuple([values[name] for name in self._names])


class Prepared:
    """
    A query that is put together once for each kind of database, and then asked as it stands.

    To look a statement up, bind its values and unpack its rows, SQLAlchemy takes several times as
    long as the database takes to answer a small one. What is given and what comes back are as with
    `execute`: values have their columns' types, and rows their columns' names. What the database
    refuses is raised as by `execute`; a value of another type than its column's as by the type.
    """

    def __init__(self, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self.query = query
        self._row: Any = namedtuple("Row", query.selected_columns.keys())  # type: ignore[misc]
        self._texts: dict[Any, _Text] = {}

    def rows(self, books: Connection, given: Mapping[str, Any]) -> list[Any]:
        """Return all rows; `given` has a value for each name, a list of them for `IN`."""
        text = self._text_for(books.dialect, given)
        made, rows = self._row._make, []
        for row in self._ask(books, text, text.values(given)):
            cells = list(row)
            for at, read in text.readers or ():
                cells[at] = read(cells[at])
            rows.append(made(cells))
        return rows

    def _ask(self, books: Connection, text: _Text, values: Any) -> Sequence[Any]:
        """
        Ask the database, SQLite by its driver alone.

        What it does not answer is asked again by SQLAlchemy, which says why in its own words, and
        where somebody listens to the statements they hear of it.
        """
        if text.readers is not None and text.is_sqlite and not _is_heard(books):
            try:
                cursor: Any = books.connection.cursor()
                answered: list[Any] = cursor.execute(text.said, values).fetchall()
                return answered
            except sqlite3.Error as failure:
                LOG.debug("a query is asked again: %s", type(failure).__name__)
        answer = books.exec_driver_sql(text.said, values)
        if text.readers is None:
            text.readers = self._readers(books.dialect, answer)
        return answer.all()

    def _text_for(self, dialect: Dialect, given: Mapping[str, Any]) -> _Text:
        lengths = {
            name: len(value) if isinstance(value, list) else None for name, value in given.items()
        }
        key = (dialect.name, *lengths.items())
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= KEPT:
                self._texts.clear()
            text = self._texts[key] = _Text(self.query, dialect, lengths)
        return text

    def _readers(self, dialect: Dialect, answer: CursorResult[Any]) -> list[tuple[int, Convert]]:
        """Return what makes a column's values of the driver's, by the column's place."""
        columns = zip(self.query.selected_columns, answer.cursor.description, strict=True)
        found: list[tuple[int, Convert]] = []
        for at, (column, described) in enumerate(columns):
            kind = column.type.dialect_impl(dialect)
            read = kind.result_processor(dialect, described[1])
            if read is not None:
                found.append((at, read))
        return found


def _is_heard(books: Connection) -> bool:
    """Tell whether somebody listens to the statements of a connection."""
    return bool(books.dispatch.before_cursor_execute or books.dispatch.after_cursor_execute)
