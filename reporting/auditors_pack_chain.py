"""The audit list in an auditor's pack: the period's own rows, and the chain through the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import audit
from database.verifying import Link, read_links
from domain.audit_chain import Act

PACKED = "write auditor's pack"  # not of the period: the next pack would be another one


def audit_rows(books: Connection, run: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of the audit list that name the period, whole."""
    for link in _around(books, run):
        if is_of(run, link.act):
            act = link.act
            said = (act.moment, act.who, act.action, act.subject, act.detail)
            yield (act.number, *said, link.previous, link.hash)


def chain_rows(books: Connection, run: str) -> Iterator[Sequence[Any]]:
    """
    Yield number and hashes of every row from the period's first to its last.

    What other periods' rows say is not in it, and yet each link can be counted again.
    """
    for link in _around(books, run):
        act = link.act
        ours = "yes" if is_of(run, act) else "no"
        yield (act.number, act.content_hash, link.previous, link.hash, ours)


def is_of(run: str, act: Act) -> bool:
    """Tell whether an act names the period as a word of its own, and is no pack of it."""
    word = re.compile(rf"(?<![\w-]){re.escape(run)}(?![\w-])")
    return act.action != PACKED and bool(word.search(act.subject) or word.search(act.detail))


def _around(books: Connection, run: str) -> Iterator[Link]:
    """Yield the links from the first to the last row that names the period."""
    names = sa.or_(audit.c.subject.contains(run), audit.c.detail.contains(run))
    query = sa.select(audit).where(names).order_by(audit.c.id)
    numbers = [
        row.id
        for row in books.execute(query)
        if is_of(run, Act(row.id, row.at, row.who, row.action, row.subject, row.detail))
    ]
    if numbers:
        yield from read_links(books, numbers[0], numbers[-1])
