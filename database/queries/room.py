"""How many connections a database server leaves to an office."""

from __future__ import annotations

import sqlalchemy as sa

from database.books import Database

A_CLOSE_NEEDS = 4  # at a time, for one close on one machine

_LIMITS = sa.text("""
    SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user
    UNION ALL SELECT datconnlimit FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT setting::int FROM pg_settings WHERE name = 'max_connections'
""")


def connections_allowed(database: Database) -> int | None:
    """
    Return how many connections the server allows this user at the most; None: it is a file.

    The least of the user's own limit, the database's and the server's; others use them, too.
    """
    if database.is_sqlite:
        return None
    with database.reading() as books:
        return min(int(limit) for limit in books.scalars(_LIMITS) if limit >= 0)


def say_room(allowed: int | None) -> str:
    """Say how many connections a close needs, and what to do where the server allows fewer."""
    if allowed is None:
        return ""
    said = f"A close needs {A_CLOSE_NEEDS} connections to PostgreSQL; it allows {allowed:,}"
    if allowed >= A_CLOSE_NEEDS:
        return f"{said}."
    return f"{said}: raise the connection limit of the user of database.url before the first close."
