"""Bills, transactions and payments: the documents, and the bill as a page for everyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.queries.histories import (
    Line,
    PastBill,
    PastPayment,
    bills_of,
    credits_of,
    line_of,
    lines_beside,
    lines_of,
    payments_of,
)
from database.queries.portal.standings import AccountStanding, since_bills, standings_of
from domain.money import ZERO, Money
from domain.movements import MovementKind
from mail.letters.phrases import period_words
from web.customers.accounts import accounts_in, my_account
from web.layout import missing, show
from web.visits import ReadingPage, Visit

PDF = "application/pdf"
NEWEST, OLDER = 6, 1_000  # of each kind on the page: most visitors look for one of the last
_KINDS = {
    MovementKind.BILLING: "What was billed",
    MovementKind.PAYMENT: "Payment received",
    MovementKind.ADJUSTMENT: "Adjustment made",
    MovementKind.PENALTY: "Penalty added",
}


def show_newest_bill(visit: Visit) -> Response:
    """Send the PDF of the newest bill that the Splitter made (rules 4, 12, 13)."""
    return _send(visit, "")


def show_bill(visit: Visit) -> Response:
    """Send the PDF of one period's bill."""
    return _send(visit, visit.path("period"))


def read_bill(visit: Visit) -> Response:
    """Show a bill as a page, for whoever cannot read the PDF: amounts, lines, usage (rule 45)."""
    return _read(visit, visit.path("period"))


def read_newest_bill(visit: Visit) -> Response:
    """Show the newest bill as a page."""
    return _read(visit, "")


def show_line(visit: Visit) -> Response:
    """Show what makes up an amount: each service of the bill, or what is beside it (rule 45)."""
    mine = my_account(visit)
    if mine is None:
        return missing(visit)
    with visit.office.database.reading() as books:
        line = line_of(books, mine.account_key, visit.path("line"))
        if line is None:
            return missing(visit)
        beside = lines_beside(books, line)
        bills = bills_of(books, [mine.account_key], line.period)
    return show(
        visit,
        "line.html",
        line=line,
        parts=beside,
        total=Money.total(one.amount for one in beside),
        period=period_words(line.period, visit.language),
        has_bill=bool(bills),
        kind=_KINDS[line.kind],
    )


@ReadingPage
def show_bills(visit: Visit, books: Connection) -> Response:
    """Show bills, payments, credits, transactions of the visitor's accounts (rules 44, 180)."""
    mine = accounts_in(books, visit)
    wanted = visit.request.query_params.get("account", "")
    chosen = [one for one in mine if one.account_key == wanted]
    keys = [one.account_key for one in chosen or mine]
    most = OLDER if visit.request.query_params.get("older") else NEWEST
    bills, lines = bills_of(books, keys), lines_of(books, keys, most=most + 1)
    payments, credits = payments_of(books, keys, most + 1), credits_of(books, keys, most + 1)
    stands = {one.account_key: one for one in standings_of(books, keys)}
    return show(
        visit,
        "bills.html",
        accounts=mine,
        chosen=wanted if chosen else "",
        bills=[
            (bill, period_words(bill.period, visit.language), _status(visit, bill, stands))
            for bill in bills[:most]
        ],
        lines=lines[:most],
        has_more=most < OLDER and most < max(len(bills), len(lines), len(payments), len(credits)),
        payments=[(paid, _method(visit, paid)) for paid in payments[:most]],
        credits=credits[:most],
    )


def _status(visit: Visit, one: PastBill, stands: Mapping[str, AccountStanding]) -> str:
    """Say how a bill stands: what an older one left open is in the newest (rule 180)."""
    now = stands.get(one.account_key)
    if now is None or now.period != one.period:
        return visit.say("In a newer bill")
    if now.owed <= ZERO:
        return visit.say("Paid")
    return visit.say("Past due") if now.is_late(visit.today) else visit.say("Open")


def _method(visit: Visit, paid: PastPayment) -> str:
    """Say how a payment was made; with what is told to nobody but whoever made it (rule 118)."""
    if paid.charge:
        return visit.say("Autopay")
    if paid.paid_by == visit.user.number:
        return visit.say_method(paid.kind, paid.last4, paid.brand)
    return visit.say("Paid here")


def _read(visit: Visit, period: str) -> Response:
    found = _find(visit, period)
    if found is None:
        return missing(visit)
    with visit.office.database.reading() as books:
        lines = lines_of(books, [found.account_key], period=found.period, most=1_000)
        newest = bills_of(books, [found.account_key])[0]
        since = since_bills(books, [found.account_key]).get(found.account_key)
    billed = [line for line in lines[::-1] if line.kind is MovementKind.BILLING]
    others = [line for line in lines[::-1] if line.kind is not MovementKind.BILLING]
    return show(
        visit,
        "bill.html",
        bill=found,
        services=by_service(billed),
        billed=Money.total(line.amount for line in billed),
        others=[(line, _KINDS[line.kind]) for line in others],
        period=period_words(found.period, visit.language),
        is_newest=newest.period == found.period,
        since=since if newest == found and since and since.billed == found.amount_due else None,
    )


def by_service(lines: Sequence[Line]) -> list[tuple[str, list[Line], Money]]:
    """Return the lines of each service with what they come to, in the order of the bill."""
    services: dict[str, list[Line]] = {}
    for line in lines:
        services.setdefault(line.service, []).append(line)
    return [
        (service, found, Money.total(line.amount for line in found))
        for service, found in services.items()
    ]


def _find(visit: Visit, period: str) -> PastBill | None:
    mine = my_account(visit)
    if mine is None:
        return None
    with visit.office.database.reading() as books:
        found = bills_of(books, [mine.account_key], period)
    return found[0] if found else None


def _send(visit: Visit, period: str) -> Response:
    """Send a document, or the same page for what is not there and what is somebody else's."""
    found = _find(visit, period)
    try:
        content = visit.office.store.read(found.pdf) if found else b""
    except FileNotFoundError:
        content = b""
    if found is None or not content:
        return missing(visit)
    name = quote(f"bill-{found.account}-{found.period}.pdf")
    return Response(
        content,
        media_type=PDF,
        headers={"Content-Disposition": f"inline; filename*=UTF-8''{name}"},
    )
