"""A town of forty houses and thirteen months, whose right findings can be told by heart.

Water is $10.00 and $1.00 a unit, 0.8 to 1.2 units a day (house 7: 1.0), garbage $17.25.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from database.books import Database, insert_rows
from database.tables import account, bill_run, movement, period_close
from domain.money import Money

LAST = "2026-10"
AT = datetime(2026, 11, 2, 16, tzinfo=UTC)
HOUSES, MONTHS = 40, 13
Line = dict[str, Any]
Change = Callable[[int, int, Line, list[Line]], str | None]
_COLUMNS = (
    *("period", "line", "account_key", "account", "posted_on", "service", "description", "kind"),
    *("amount", "usage", "unit", "days", "meter", "read_type", "previous_read", "current_read"),
    "rate_code",
)


def build_town(
    database: Database,
    change: Change | None = None,
    *,
    months: int = MONTHS,
    houses: int = HOUSES,
    periods: list[tuple[date, date]] | None = None,
    accounts: dict[int, dict[str, Any]] | None = None,
) -> None:
    """
    Write the town's months; all but the last are closed.

    `change` gets the month (12 is the last), the house, its water line and all its lines, may
    change them, and may return the account's status.
    """
    reads = dict.fromkeys(range(houses), 1000.0)
    spans = periods or list(_months(months))
    with database.writing() as books:
        for place, (start, end) in enumerate(spans):
            period = f"{start:%Y-%m}"
            books.execute(bill_run.insert().values(**_run(period, start, end)))
            if place < len(spans) - 1:
                closed = {"period": period, "closed_at": AT, "closed_by": "clerk"}
                books.execute(period_close.insert().values(**closed))
            month = 12 - (len(spans) - 1 - place)
            statuses: dict[int, str] = {}
            rows = list(_lines(period, start, end, month, houses, reads, change, statuses))
            insert_rows(books, movement, _COLUMNS, rows)
            fixed = [_account(period, n, statuses.get(n, "active")) for n in range(houses)]
            books.execute(account.insert(), fixed)
        for house, told in (accounts or {}).items():
            at = (account.c.period == LAST) & (account.c.account_key == f"A{house}")
            books.execute(account.update().where(at).values(**told))


def _months(number: int) -> Iterator[tuple[date, date]]:
    for back in range(number - 1, -1, -1):
        year, month = divmod(2026 * 12 + 9 - back, 12)
        start = date(year, month + 1, 1)
        end = date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)
        yield start, end


def _lines(
    period: str, start: date, end: date, month: int, houses: int, reads: dict[int, float],
    change: Change | None, statuses: dict[int, str],
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    number = 0
    days = (end - start).days + 1
    for house in range(houses):
        use = float(round(days * (0.8, 0.9, 1, 1.1, 1.2)[house % 5]))
        water = a_line("WATER", usage=use, meter=f"W{house}", read_type="actual", rate_code="WR")
        water["previous_read"] = reads[house]
        rows = [water, a_line("GARBAGE", amount=17_25, rate_code="GR")]
        if change is not None:
            statuses[house] = change(month, house, water, rows) or "active"
        if water["amount"] is None:
            water["amount"] = round(10_00 + 1_00 * max(water["usage"], 0))
        if water["current_read"] is None:
            water["current_read"] = water["previous_read"] + water["usage"]
        reads[house] = water["current_read"]
        for line in rows:
            number += 1
            told = (line["service"], "Automatic Billing", "billing", Money(line["amount"]))
            more = (line[name] for name in _COLUMNS[9:])
            yield period, number, f"A{house}", f"A-{house}", end, *told, *more


def a_line(service: str, **values: Any) -> Line:
    empty = dict.fromkeys(("amount", "usage", "days", "previous_read", "current_read"))
    words = dict.fromkeys(("unit", "meter", "read_type", "rate_code"), "")
    return {"service": service} | empty | words | values


def _run(period: str, start: date, end: date) -> dict[str, Any]:
    controls = ("opening_balance", "billed", "payments", "adjustments", "penalties")
    return {
        "period": period,
        "state": "staged" if period == LAST else "finished",
        "utility": "Larkspur",
        "timezone": "America/Denver",
        "starts_on": start,
        "ends_on": end,
        "due_on": end + timedelta(days=20),
        "export_name": period,
        "export_sha256": "0" * 64,
        "imported_at": AT,
        "imported_by": "clerk",
        "control_accounts": HOUSES,
        "control_bills": HOUSES,
        "control_closing_balance": Money(0),
        **{f"control_{name}": Money(0) for name in controls},
    }


def _account(period: str, house: int, status: str) -> dict[str, Any]:
    words = ("name", "last_name", "service_address", "mailing_address", "city", "phone", "email")
    flags = ("ebill", "send_paper", "direct_pay", "block_ach", "block_card")
    return {
        "period": period,
        "account_key": f"A{house}",
        "account": f"A-{house}",
        **dict.fromkeys(words, "Mill"),
        "state": "UT",
        "zip": "84001",
        **dict.fromkeys(flags, False),
        "status": status,
        "opening_balance": Money(0),
        "closing_balance": Money(10_00),
        "amount_due": Money(10_00),
        "cosigner_id": "",
    }
