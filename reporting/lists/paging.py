"""A page of a long list: its rows are chosen by little, and read whole once they are few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from reporting.lists.catalog import Listing
from reporting.lists.naming import with_names

Row = Mapping[str, Any] | RowMapping
TOTAL = "_total"


def counted_beside(bare: sa.Select[Any]) -> sa.Select[Any]:
    """Select bare rows with the number of all beside each, so that they are made once."""
    return bare.add_columns(sa.func.count().over().label(TOTAL))


def filled(
    books: Connection, listing: Listing, chosen: Sequence[Row], *, is_first: bool
) -> list[Row] | None:
    """
    Return the rows of a page as the list has them; None where the list alone can say which.

    `chosen` are its bare rows in the list's own order; `is_first`: none stands before them. Where
    all of them are of one account, and it has more, nobody knows which of them.
    """
    if not listing.bare:
        return [*_with_names(books, chosen)]
    key = listing.order[0]
    wanted: dict[str, int] = {}
    for row in chosen:
        wanted[row[key]] = wanted.get(row[key], 0) + 1
    shown = listing.select_of(list(wanted)).subquery()
    ordered = sa.select(shown).order_by(*(shown.c[name] for name in listing.order))
    whole: dict[str, list[Row]] = {name: [] for name in wanted}
    for row in books.execute(ordered).mappings() if wanted else ():
        whole[row[key]].append(row)
    begun = [] if is_first else list(wanted)[:1]  # what it has before stands on the page before
    if begun and len(wanted) == 1 and len(whole[begun[0]]) > len(chosen):
        return None
    return [
        row
        for name, count in wanted.items()
        for row in (whole[name][-count:] if name in begun else whole[name][:count])
    ]


def _with_names(books: Connection, chosen: Sequence[Row]) -> Iterator[Row]:
    """Give rows with the customers' names, which are looked up for these alone."""
    if not chosen:
        return
    asked = [
        sa.select(
            sa.literal(at).label("_at"),
            sa.literal(row["account"], sa.String).label("account"),
            sa.literal(row["period"], sa.String).label("period"),
            sa.literal(row["_account_key"], sa.String).label("_account_key"),
        )
        for at, row in enumerate(chosen)
    ]
    named = with_names(sa.select(sa.union_all(*asked).subquery("chosen")))
    names = {row["_at"]: row["name"] for row in books.execute(named).mappings()}
    for at, row in enumerate(chosen):
        yield {**row, "name": names[at]}
