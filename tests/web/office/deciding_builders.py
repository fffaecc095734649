"""What tests of deciding share: who is on the audit list, and where a row leads."""

from __future__ import annotations

import html
import re

import sqlalchemy as sa

from database.tables import audit


def who_said(office, reason: str) -> list[str]:
    """Return who did something for a reason, as the audit list has it."""
    with office.database.reading() as books:
        query = sa.select(audit.c.who).where(audit.c.detail.contains(reason))
        return list(books.scalars(query.order_by(audit.c.id)))


def decide_link(page: str, row: str) -> str:
    """Return where the row's last link leads."""
    found = re.search(rf"<tr>(?:(?!</tr>).)*{re.escape(row)}(?:(?!</tr>).)*</tr>", page, re.DOTALL)
    assert found is not None
    return html.unescape(re.findall(r'href="([^"]+\?key=[^"]+)"', found[0])[-1])
