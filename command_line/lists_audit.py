"""The list of what people did, and the office for them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import audit


def audit_list() -> sa.Select[Any]:
    return sa.select(
        audit.c.at,
        audit.c.who,
        audit.c.action,
        audit.c.subject,
        audit.c.detail,
        audit.c.id.label("_id"),
    )
