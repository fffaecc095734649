"""Words by which an index is partial are written out where they are compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from database.tables import gateway_payment
from database.types import written_out
from domain.payments import PaymentKind

ROOT = Path(__file__).parents[2]
_BOUND = re.compile(r"\.kind\s*==\s*PaymentKind\.\w+")
WINGS = ("command_line", "database", "flows", "mail", "office", "payments", "reporting", "web")


def test_no_query_gives_a_kind_of_payment_as_a_value():
    """Rows are told apart by `is`: what stands with `==` is a query."""
    sources = [path for wing in WINGS for path in sorted((ROOT / wing).rglob("*.py"))]
    found = [
        f"{path.relative_to(ROOT)}: {one.group()}"
        for path in sources
        for one in _BOUND.finditer(path.read_text("utf-8"))
    ]

    assert [] == found
    assert len(sources) > 300


@pytest.mark.parametrize("kind", list(PaymentKind))
def test_a_word_stands_in_the_statement_and_is_compared_as_its_value(database, kind):
    query = sa.select(sa.func.count()).where(gateway_payment.c.kind == written_out(kind))

    made = query.compile(dialect=database.engine.dialect)
    with database.reading() as books:
        assert 0 == books.scalar(query)

    assert f"'{kind.value}'" in str(made) and {} == made.params
