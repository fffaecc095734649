"""The list of deposits: all payments and returns in each, and when they were posted (113-116)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from database.tables import posting
from domain.money import Money
from domain.payments import PostingKind, PostingState
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import deposits, read_settlements
from tests.builders import ACH
from tests.payments.collecting_builders import TERMS, a_collector, paying


def listed(office) -> list[dict]:
    rows = deposits().subquery()
    ordered = sa.select(rows).order_by(rows.c.date, rows.c.deposit, rows.c._line)
    with office.database.reading() as books:
        return [dict(row) for row in books.execute(ordered).mappings()]


def test_each_item_says_what_it_is_of_whom_and_when_it_was_posted(
    database, tmp_path
):  # rules 114 and 115
    """Rules 113, 116."""
    office = a_collector(
        database, tmp_path, paying("1", "tok_ach_R01_d2", method_kind=ACH),
        paying("2", "tok_chargeback_d2", balance="60.00"), paying("3", balance="10.00"),
    )  # fmt: skip
    office.collect()
    posted = {"state": PostingState.POSTED, "receipt": "R1", "posted_at": office.at}
    with database.writing() as books:
        books.execute(posting.update().values(posted))
    office.wait(days=10)
    take_in_events(database, office.gateway, TERMS, office.now)
    read_settlements(database, office.gateway, office.at, "anna")

    rows = listed(office)

    found = {(row["account"], row["kind"]): row for row in rows}
    assert {
        ("1", "payment"), ("1", "return"), ("2", "payment"), ("2", "charge-back"), ("3", "payment")
    } == found.keys()  # fmt: skip
    assert {"sandbox"} == {row["provider"] for row in rows}
    paid, back = found["1", "payment"], found["1", "return"]
    assert (Money(80_00), Money(-80_00)) == (paid["amount"], back["amount"])
    assert paid["confirmation"] == back["confirmation"] == office.draws("1")[0].reference
    assert (True, None) == (paid["posted_at"] is not None, back["posted_at"])
    assert all(isinstance(row["date"], date) and row["deposit"] for row in rows)
    assert Money(59) == found["3", "payment"]["fee"]
    with database.reading() as books:
        reversals = sa.select(posting.c.key).where(posting.c.kind == PostingKind.REVERSAL)
        assert 2 == len(books.scalars(reversals).all())
