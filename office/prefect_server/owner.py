"""Whose a deployment is: the tag by which an office knows its own in a Prefect server."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

import sqlalchemy as sa

from database.inserting import insert_new
from database.tables import office_mark
from domain.failures import Misuse
from office.equipment.office import Office

PREFIX = "office:"


def owner_tag(office: Office) -> str:
    """
    Return the tag of the deployments of an office, alike on all machines that share its books.

    It comes from a mark in the books. Where they are a file, its place counts too: a home that was
    copied for training is another office.
    """
    mark = _mark_of(office)
    if office.database.is_sqlite:
        mark += str(office.home.resolve())
    return PREFIX + hashlib.sha256(mark.encode()).hexdigest()[:12]


def has_owner(tags: Iterable[str]) -> bool:
    """Tell whether tags name an office at all."""
    return any(tag.startswith(PREFIX) for tag in tags)


def is_own(office: Office, tags: Iterable[str]) -> bool:
    """Tell whether what carries these tags is this office's, or nobody's."""
    known = list(tags)
    return not has_owner(known) or owner_tag(office) in known


def require_own_run(office: Office, tags: Iterable[str]) -> None:
    """
    Refuse a run of another office's deployment (Misuse, `other-office`).

    A worker takes whatever its work pool has: in the home of a second office it would draw that
    one's money by the first one's calendar.
    """
    if not is_own(office, tags):
        raise Misuse(
            f"This run is of another office's deployment, and the home here is {office.home}; "
            "see which work pool this worker takes its runs from, or deploy this office anew.",
            "other-office",
        )


def _mark_of(office: Office) -> str:
    """Return the mark in the books; whoever asks first makes it, whichever machine that is."""
    known = sa.select(office_mark.c.mark)
    with office.database.reading() as books:
        mark: str | None = books.scalar(known)
    if mark is None:
        with office.database.writing() as books:
            row = insert_new(books.dialect.name, office_mark)
            books.execute(row.values(id=1, mark=secrets.token_hex(16)))
            mark = str(books.scalar(known))
    return mark
