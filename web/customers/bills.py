"""Bills, transactions and payments: the documents, and the bill as a page for everyone."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from database.queries.histories import PastBill, bills_of, lines_of, payments_of
from mail.letters.phrases import period_words
from web.customers.accounts import my_account, my_accounts
from web.layout import missing, show
from web.visits import Visit

PDF = "application/pdf"


def show_newest_bill(visit: Visit) -> Response:
    """Send the PDF of the newest bill that the Splitter made (rules 4, 12, 13)."""
    return _send(visit, "")


def show_bill(visit: Visit) -> Response:
    """Send the PDF of one period's bill."""
    return _send(visit, visit.path("period"))


def read_bill(visit: Visit) -> Response:
    """Show a bill as a page, for whoever cannot read the PDF: amounts, lines, usage (rule 45)."""
    found = _find(visit, visit.path("period"))
    if found is None:
        return missing(visit)
    with visit.office.database.reading() as books:
        lines = lines_of(books, [found.account_key], period=found.period, most=1_000)
    return show(
        visit,
        "bill.html",
        bill=found,
        lines=lines[::-1],
        period=period_words(found.period, visit.language),
    )


def show_bills(visit: Visit) -> Response:
    """Show bills, transactions and payments of all the visitor's accounts (rules 44, 180)."""
    keys = [one.account_key for one in my_accounts(visit)]
    with visit.office.database.reading() as books:
        bills, lines = bills_of(books, keys), lines_of(books, keys)
        payments = payments_of(books, keys)
    return show(
        visit,
        "bills.html",
        bills=[(bill, period_words(bill.period, visit.language)) for bill in bills],
        lines=lines,
        payments=payments,
    )


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
