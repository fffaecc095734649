"""The key figures of a close: what the clerk is asked for first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.words import say_count
from reporting.equations import printed_bills
from reporting.grouping import ExceptionGroup
from reporting.run_sheet import RunSheet


@dataclass(frozen=True, slots=True)
class KeyFigure:
    label: str
    value: str
    note: str
    alert: bool = False
    anchor: str = ""  # where on the page there is more of it


def list_key_figures(sheet: RunSheet, groups: Iterable[ExceptionGroup]) -> tuple[KeyFigure, ...]:
    """Return the six figures at the top; before the close they are plans and named so."""
    return (
        KeyFigure("Bills", f"{sheet.bills:,}", f"on {say_count(sheet.pages['billed'], 'page')}"),
        KeyFigure("Amount due", sheet.amount_due_total.dollars(), "of all accounts billed"),
        _mailed(sheet),
        _printed(sheet),
        _autopay(sheet),
        _exceptions(groups),
    )


def _mailed(sheet: RunSheet) -> KeyFigure:
    mails = sheet.deliveries
    if not sheet.is_closed:
        return KeyFigure("To be e-mailed", f"{mails.bills:,}", "bills")
    unsent = mails.bills - mails.bills_sent
    note = f"bills in {say_count(mails.sent, 'message')}"
    if unsent > 0:
        note = f"of {say_count(mails.bills, 'bill')}; {unsent:,} not sent"
    return KeyFigure("E-mailed", f"{mails.bills_sent:,}", note, alert=unsent > 0)


def _printed(sheet: RunSheet) -> KeyFigure:
    label = "Printed" if sheet.is_closed else "To be printed"
    note = f"bills on {say_count(sheet.paper.pages, 'page')}" if sheet.paper.pages else "bills"
    return KeyFigure(label, f"{printed_bills(sheet):,}", note)


def _autopay(sheet: RunSheet) -> KeyFigure:
    autopay = sheet.autopay
    label = "Autopay scheduled" if sheet.is_closed else "Autopay to schedule"
    note = say_count(autopay.scheduled, "payment")
    if autopay.immediate:
        note += f", {autopay.immediate:,} drawn at once"
    return KeyFigure(label, autopay.amount.dollars(), note)


def _exceptions(groups: Iterable[ExceptionGroup]) -> KeyFigure:
    counts = {"blocking": 0, "waived": 0, "warning": 0}
    for group in groups:
        counts[group.level] += len(group.findings)
    total = sum(counts.values())
    words = {"blocking": "blocking", "waived": "waived", "warning": "to look at"}
    note = ", ".join(f"{counts[level]:,} {words[level]}" for level in counts if counts[level])
    alert = bool(counts["blocking"] or counts["waived"])
    return KeyFigure(
        "Exceptions", f"{total:,}", note or "nothing needs a person", alert, "needs-a-person"
    )
