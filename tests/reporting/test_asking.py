"""Whatever is asked of a column of a list is answered, or refused as no value of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from domain.failures import Misuse
from reporting.lists.asking import claim_of, column_names, contains
from reporting.lists.catalog import LISTS

DENVER = ZoneInfo("America/Denver")
ODD = (
    "9" * 30, f"-{'9' * 30}", str(2**63), str(2**63 - 1), "9" * 5_000, "1e999", "NaN", "²",
    "0001-01-01", "9999-12-31", "9999-12-31T23:59", "2026-02-30", "yes", "½", "x",
)  # fmt: skip
SHOWN = [pytest.param(name, id=name) for name in LISTS if name != "exceptions"]


def readable(shown: sa.Subquery, name: str) -> Iterator[sa.ColumnElement[bool]]:
    """What of all that is odd is a claim about a column; the rest is refused in words."""
    for value in ODD:
        asked = {"": partial(contains, shown, name, value, DENVER)}
        for by in ("=", "!=", "<", ">=", "~"):
            typed = f" {name.upper()} {by} {value}"
            asked[f"--where {typed}: "] = partial(claim_of, shown, typed, DENVER)
        for quoted, claim in asked.items():
            try:
                yield claim()
            except Misuse as refused:
                said = str(refused)
                assert said.startswith(quoted)  # as it was typed, whatever the operator
                assert "is no" in said or "is compared with" in said


@pytest.mark.parametrize("what", SHOWN)
def test_what_no_column_can_hold_is_no_fault_of_a_list(database, what):
    shown = LISTS[what].select().subquery()

    with database.reading() as books:
        for name in column_names(shown):
            any_of_them = sa.or_(sa.false(), *readable(shown, name))
            books.execute(sa.select(shown).where(any_of_them).limit(1)).all()


@pytest.mark.parametrize("value", [str(2**63), f"-{2**63 + 1}", "9" * 30])
def test_a_number_that_no_book_holds_is_no_value_of_a_count_nor_of_an_amount(value):
    shown = sa.select(
        sa.literal(1, sa.Integer).label("many"), LISTS["landlords"].select().subquery().c.accounts
    ).subquery()

    with pytest.raises(Misuse, match="is no number"):
        claim_of(shown, f"many={value}", UTC)
