"""Usage by month: one graph a metered service, and one of what was billed (rule 178)."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.queries.portal.usage import billed_of, consumption_of
from web.customers.accounts import accounts_in, my_account
from web.customers.history.graphs import (
    FOOT,
    HEIGHT,
    LEFT,
    WIDTH,
    Graph,
    billed_graph,
    usage_graphs,
)
from web.customers.history.pictures import to_png
from web.layout import missing, show
from web.theme import theme_of
from web.visits import ReadingPage, Visit, redirect

SIZE = {"width": WIDTH, "height": HEIGHT, "foot": FOOT, "left": LEFT}


@ReadingPage
def show_usage(visit: Visit, books: Connection) -> Response:
    """Show the graphs of one account; whoever has several chooses which."""
    mine = accounts_in(books, visit)
    wanted = visit.request.query_params.get("account", "")
    chosen = next((one for one in mine if one.account_key == wanted), mine[0] if mine else None)
    graphs = graphs_in(books, visit, chosen.account_key) if chosen else []
    return show(visit, "usage.html", accounts=mine, chosen=chosen, graphs=graphs, size=SIZE)


def show_graph(visit: Visit) -> Response:
    """Show one graph alone, to be printed."""
    mine, graph = my_account(visit), _wanted(visit)
    if mine is None:
        return missing(visit)
    if graph is None:
        return redirect(f"/usage?account={quote(mine.account_key)}")
    return show(visit, "usage-graph.html", chosen=mine, graph=graph, size=SIZE)


def send_picture(visit: Visit) -> Response:
    """Send one graph as PNG."""
    mine, graph = my_account(visit), _wanted(visit)
    if mine is None or graph is None:
        return missing(visit)
    title = visit.say("Account %(number)s", number=mine.account)
    shown = graph.service or visit.say("Billed in total")
    words = (visit.say("This year"), visit.say("Last year"))
    color = theme_of(visit.office).brand
    content = to_png(graph, f"{shown} · {title}", words, color)
    name = quote(f"{graph.service or 'billed'}-{mine.account}.png")
    kept = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type="image/png", headers=kept)


def graphs_of(visit: Visit, key: str) -> list[Graph]:
    """Return the graphs of one account: of each metered service, then of what was billed."""
    with visit.office.database.reading() as books:
        return graphs_in(books, visit, key)


def graphs_in(books: Connection, visit: Visit, key: str) -> list[Graph]:
    """Return the same by a transaction that is open."""
    used, billed = consumption_of(books, [key]), billed_of(books, [key])
    total = billed_graph(billed, visit.language)
    return usage_graphs(used, visit.language) + ([total] if total else [])


def _wanted(visit: Visit) -> Graph | None:
    mine = my_account(visit)
    if mine is None:
        return None
    asked = visit.request.query_params.get("of", "")
    graphs = graphs_of(visit, mine.account_key)
    return next((one for one in graphs if one.service == asked), None)
