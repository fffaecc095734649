"""The equations of a close: figures that must add up, from the register to the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.checks import CheckStatus
from domain.money import Money
from domain.words import say_count
from reporting.run_sheet.run_sheet import TOTALS, RunSheet
from reporting.wording import Figure, like, say_figure, say_reasons, units

_TOTAL_NAMES = {
    "accounts": "Accounts",
    "bills": "Bills",
    "opening_balance": "Opening balance",
    "billed": "Billed",
    "payments": "Payments",
    "adjustments": "Adjustments",
    "penalties": "Penalties",
    "closing_balance": "Closing balance",
}


class Agreement(StrEnum):
    TIES = "ties"
    DIFFERS = "differs"
    OPEN = "open"  # cannot be told, or not yet


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """One total: what the billing system announced, what we counted, and what that means."""

    name: str
    announced: Figure
    ours: Figure
    outcome: Agreement
    verdict: str


def list_control_totals(sheet: RunSheet) -> tuple[ControlTotal, ...]:
    """Compare the billing system's eight totals with ours, to the cent."""
    return tuple(_compare(name, sheet.control[name], sheet.totals[name]) for name in TOTALS)


def _compare(name: str, announced: Figure, ours: Figure) -> ControlTotal:
    off = units(ours) - units(announced)
    if units(ours) <= 0 and units(announced) <= 0:
        off = -off  # payments are negative: counting fewer of them is less, not more
    outcome = Agreement.DIFFERS if off else Agreement.TIES
    way = "more" if off > 0 else "less" if isinstance(ours, Money) else "fewer"
    size = say_figure(like(ours, abs(off)))
    verdict = f"does not tie out: ours is {size} {way}" if off else "ties out"
    return ControlTotal(_TOTAL_NAMES[name], announced, ours, outcome, verdict)


@dataclass(frozen=True, slots=True)
class Term:
    sign: str
    figure: str
    label: str


@dataclass(frozen=True, slots=True)
class Equation:
    """Figures that must add up to another one, with whether they do."""

    name: str
    terms: tuple[Term, ...]
    outcome: Agreement
    verdict: str


def list_equations(sheet: RunSheet) -> tuple[Equation, ...]:
    """Follow the money and the bills through the close; each must come out where it went in."""
    return (
        _balances(sheet),
        _register(sheet),
        *(_closed(sheet) if sheet.is_closed else ()),
        _pages(sheet),
        _delivery(sheet),
        _autopay(sheet),
    )


def printed_bills(sheet: RunSheet) -> int:
    """Return how many bills go on paper; before the close, how many will."""
    if sheet.is_closed or sheet.paper.bills:
        return sheet.paper.bills
    return sheet.bills - sheet.deliveries.bills + sheet.both - sheet.held_bills


def _balances(sheet: RunSheet) -> Equation:
    ours = sheet.totals
    moved = [(name, ours[name]) for name in ("billed", "payments", "adjustments", "penalties")]
    return _equation(
        "Balances roll forward",
        [("opening balance", ours["opening_balance"]), *moved],
        ("closing balance", ours["closing_balance"]),
    )


def _register(sheet: RunSheet) -> Equation:
    """
    Compare what the accounts owe with what their bills show.

    Notices print an amount that is owed already, and a bulk file may have no pattern for the
    amount. The check `billed-total` leaves both out, so where it passed the difference is theirs.
    """
    name = "Register and bills"
    due, printed = sheet.amount_due_total, sheet.printed_total
    equation = _equation(name, [("amount due", due)], ("printed on the bills", printed))
    if equation.outcome is Agreement.TIES or not _passed(sheet, "billed-total"):
        return equation
    if not printed:
        verdict = "not compared: the bills' amounts were not read"
    else:
        off = Money(abs(due.cents - printed.cents)).dollars()
        verdict = f"{off} apart for notices and amounts not read; bill by bill it ties out"
    return Equation(name, equation.terms, Agreement.OPEN, verdict)


def _moved(sheet: RunSheet) -> Equation:
    held = [("held back", -sheet.outsorting.amount)] if sheet.outsorting.amount else []
    return _equation(
        "Balances moved",
        [("amount due of all open accounts", sheet.open_accounts_total), *held],
        ("moved to Balance Due", sheet.balances_moved),
    )


def _closed(sheet: RunSheet) -> tuple[Equation, ...]:
    """
    Follow the money from the export to what is open now, and our own through all three books.

    What each account owes is told of those that have no later bill.
    """
    ledger, money = sheet.ledger, sheet.money
    since = [(f"{kind} since", amount) for kind, amount in ledger.since]
    taken = ("taken at the gateway, less what went back", money.taken - money.given_back)
    posted = [
        ("receipts posted", money.receipts),
        ("reversals posted", -money.reversals),
        ("not posted", money.unposted),
    ]
    return (
        _moved(sheet),
        _equation(
            "From the export to the amounts due",
            [
                ("closing balance", ledger.closing_balance),
                ("of closed accounts", -ledger.closed_accounts),
                ("more than equal-pay accounts are asked", -ledger.agreed),
            ],
            ("amount due of all open accounts", sheet.open_accounts_total),
        ),
        _equation(
            "Open balances",
            [("moved to Balance Due", ledger.due), ("carried over", ledger.carried), *since],
            ("open now", ledger.open),
        ),
        _equation(
            "Our money and the exports",
            [("in exports", money.in_exports), ("in none yet", money.outstanding)],
            taken,
        ),
        _equation("Our money and cash receipting", posted, taken),
    )


def _pages(sheet: RunSheet) -> Equation:
    pages = sheet.pages
    parts = [(name, pages[name]) for name in ("billed", "separators", "unassigned")]
    equation = _equation("Pages of the bulk files", parts, ("pages", pages["total"]))
    astray = pages["unassigned"]
    if equation.outcome is Agreement.TIES and astray:
        verdict = f"{say_count(astray, 'page')} {'belongs' if astray == 1 else 'belong'} to no bill"
        return Equation(equation.name, equation.terms, Agreement.DIFFERS, verdict)
    return equation


def _delivery(sheet: RunSheet) -> Equation:
    parts = [
        ("by e-mail", sheet.deliveries.bills),
        ("printed", printed_bills(sheet)),
        ("both ways", -sheet.both),
        ("held back", sheet.held_bills),
    ]
    equation = _equation("Every bill leaves", parts, ("bills", sheet.bills))
    if sheet.is_closed:
        return equation
    return Equation(
        equation.name, equation.terms, Agreement.OPEN, "planned; counted after the close"
    )


def _autopay(sheet: RunSheet) -> Equation:
    autopay = sheet.autopay
    why = f" ({say_reasons(autopay.reasons)})" if autopay.reasons else ""
    parts = [
        ("scheduled", autopay.scheduled),
        (f"enrolled without a payment{why}", autopay.unscheduled),
        ("not enrolled", sheet.not_enrolled),
    ]
    return _equation(
        "Every account's autopay", parts, ("accounts", units(sheet.totals["accounts"]))
    )


def _equation(
    name: str, parts: Sequence[tuple[str, Figure]], whole: tuple[str, Figure]
) -> Equation:
    label, total = whole
    off = sum(units(figure) for _, figure in parts) - units(total)
    terms = [
        Term(_sign(position, figure), say_figure(like(figure, abs(units(figure)))), part)
        for position, (part, figure) in enumerate(parts)
    ]
    minus = "−" if units(total) < 0 else ""
    terms.append(Term("=", minus + say_figure(like(total, abs(units(total)))), label))
    size = say_figure(like(total, abs(off)))
    way = "apart" if len(parts) == 1 else "too much" if off > 0 else "too little"
    verdict = f"does not tie out: {size} {way}"
    outcome = Agreement.DIFFERS if off else Agreement.TIES
    return Equation(name, tuple(terms), outcome, verdict if off else "ties out")


def _sign(position: int, figure: Figure) -> str:
    if units(figure) < 0:
        return "−"
    return "+" if position else ""


def _passed(sheet: RunSheet, name: str) -> bool:
    return any(
        result.check == name and result.status is CheckStatus.PASSED for result in sheet.checks
    )
