"""Finding a customer (rules 170-174)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from database.queries.customers.search import districts, find_customers
from domain.customer_service import (
    LOOKED_AT_FIRST,
    CustomerFound,
    CustomerSearch,
    PortalStanding,
)
from domain.words import say_count
from rules.customer_search import person_number, search_words
from web.csr.layout import STANDING_WORDS, say_standing, show_console
from web.visits import Visit

ROWS_A_PAGE = 25
LONGEST_SEARCH = 200  # characters
MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class ShownCustomer:
    """A row of what was found, and where its console is."""

    found: CustomerFound
    link: str
    words: str

    @property
    def is_enrolled(self) -> bool:
        return self.found.standing is PortalStanding.ENROLLED


def show_search(visit: Visit) -> Response:
    """Show the search box, and what was found for what stands in the page's address."""
    asked = visit.request.query_params
    typed = "".join(filter(str.isprintable, asked.get("q", "")))[:LONGEST_SEARCH].strip()
    wish = _wish(typed, asked.get("district", ""), asked.getlist("status"), "filtered" in asked)
    with visit.office.database.reading() as books:
        every = districts(books)
        found = find_customers(books, wish) if "q" in asked else None
    rows = found.rows if found else ()
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    page = min(max(_number(asked.get("page", "1")), 1), pages)
    shown = rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    return show_console(
        visit,
        "csr-find.html",
        typed=typed,
        wish=wish,
        districts=every,
        boxes=[(one.value, STANDING_WORDS[one], one in wish.standings) for one in PortalStanding],
        found=found,
        sentence=_sentence(rows, found is not None and found.is_cut),
        rows=[_to_shown(row) for row in shown],
        page=page,
        pages=pages,
        link_to=lambda number: _link(typed, wish, number),
        everywhere=_link(typed, _everywhere(wish), 1),
    )


def _wish(typed: str, district: str, statuses: Sequence[str], is_filtered: bool) -> CustomerSearch:
    chosen = frozenset(one for one in PortalStanding if one.value in statuses)
    return CustomerSearch(
        words=search_words(typed)[:MOST_WORDS],
        typed=tuple(typed.casefold().split())[:MOST_WORDS],
        number=person_number(typed),
        district=district.strip(),
        standings=chosen if is_filtered else LOOKED_AT_FIRST,
    )


def _everywhere(wish: CustomerSearch) -> CustomerSearch:
    return CustomerSearch(
        wish.words, wish.typed, wish.number, wish.district, frozenset(PortalStanding)
    )


def _link(typed: str, wish: CustomerSearch, page: int) -> str:
    asked = [("q", typed), ("filtered", "1"), ("district", wish.district)]
    asked += [("status", one.value) for one in PortalStanding if one in wish.standings]
    if page > 1:
        asked.append(("page", str(page)))
    return f"/csr?{urlencode(asked)}"


def _sentence(rows: Sequence[CustomerFound], is_cut: bool) -> str:
    if is_cut:
        return "Very many customers are like that; type more to see all of those that you mean."
    return f"{say_count(len(rows), 'customer')} found." if rows else "No customer is like that."


def _to_shown(row: CustomerFound) -> ShownCustomer:
    link = f"/csr/customers/{row.user}" if row.user else f"/csr/accounts/{row.account_key}"
    return ShownCustomer(row, link, say_standing(row))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
