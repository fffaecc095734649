"""The mandates in force as SQL for checks: the export's, and those given to and ended here."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from database.mandates import mandates_in_force


def agreed_sql() -> str:
    """
    Return the SELECT of the mandates in force of the run `:run`, for the FROM of a check.

    The one that scheduling goes by, written down: a check that looked at the export alone would
    not see whom the office has enrolled, and would see whose mandate it has ended.
    """
    agreed = sa.select(mandates_in_force(sa.bindparam("run")))
    named: sa.Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(agreed.compile(dialect=named))
