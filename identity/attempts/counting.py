"""Counted attempts: how often something was tried in vain, in the books of all processes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import web_attempt
from database.inserting import one_after_the_other
from identity.holding import is_writing


def count_bad(
    books: Connection, kind: str, subjects: Sequence[str], now: datetime, within: timedelta
) -> int:
    """
    Return the most bad attempts that any one of the subjects has had within a time.

    Where the transaction writes, tries of one subject wait for each other: of many at once no more
    are looked at than one after the other.
    """
    if is_writing(books):
        for subject in sorted(set(subjects)):
            one_after_the_other(books, f"{kind} {subject}")
    row = web_attempt.c
    query = (
        sa.select(sa.func.count())
        .where(row.kind == kind, row.subject.in_(subjects), row.at > now - within, ~row.good)
        .group_by(row.subject)
    )
    return max(books.scalars(query), default=0)


def record_attempt(
    books: Connection, kind: str, subjects: Sequence[str], now: datetime, *, good: bool
) -> None:
    """Record one attempt for each subject that it counts against."""
    books.execute(
        web_attempt.insert(),
        [{"kind": kind, "subject": subject, "at": now, "good": good} for subject in subjects],
    )


def network_subject(remote: str, secret: bytes, now: datetime) -> str:
    """Return what stands for a network for one day: nobody can tell afterwards which it was."""
    salted = secret + f"{now:%Y-%m-%d}/{_network(remote)}".encode()
    return "net/" + hashlib.sha256(salted).hexdigest()[:32]


def _network(remote: str) -> str:
    """Return an IPv4 address whole, of an IPv6 address the half that one household has."""
    return ":".join(remote.split(":")[:4]) if ":" in remote else remote
