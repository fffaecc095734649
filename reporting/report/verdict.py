"""What became of a run, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.checks import CheckStatus
from domain.runs import RunState
from domain.words import say_count
from reporting.run_sheet.control_totals import (
    Agreement,
    list_control_totals,
    list_equations,
    printed_bills,
)
from reporting.run_sheet.exceptions import ExceptionGroup
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import capitalize, say_moment
from rules.closing_checklist import open_items


@dataclass(frozen=True, slots=True)
class KeyFigure:
    label: str
    value: str
    note: str
    alert: bool = False
    anchor: str = ""  # where on the page there is more of it


def list_key_figures(
    sheet: RunSheet, groups: Iterable[ExceptionGroup], *, rehearsal: bool = False
) -> tuple[KeyFigure, ...]:
    """Return the six figures at the top; before the close, or in a rehearsal, named as plans."""
    is_over = sheet.is_closed and not rehearsal
    return (
        KeyFigure("Bills", f"{sheet.bills:,}", f"on {say_count(sheet.pages['billed'], 'page')}"),
        KeyFigure("Amount due", sheet.amount_due_total.dollars(), "of all accounts billed"),
        _mailed(sheet, is_over),
        _printed(sheet, is_over),
        _autopay(sheet, is_over),
        _exceptions(groups),
    )


def _mailed(sheet: RunSheet, is_over: bool) -> KeyFigure:
    mails = sheet.deliveries
    if not is_over:
        return KeyFigure("To be e-mailed", f"{mails.bills:,}", "bills")
    unsent = mails.bills - mails.bills_sent
    note = f"bills in {say_count(mails.sent, 'message')}"
    if unsent > 0:
        note = f"of {say_count(mails.bills, 'bill')}; {unsent:,} not sent"
    return KeyFigure("E-mailed", f"{mails.bills_sent:,}", note, alert=unsent > 0)


def _printed(sheet: RunSheet, is_over: bool) -> KeyFigure:
    label = "Printed" if is_over else "To be printed"
    note = f"bills on {say_count(sheet.paper.pages, 'page')}" if sheet.paper.pages else "bills"
    return KeyFigure(label, f"{printed_bills(sheet):,}", note)


def _autopay(sheet: RunSheet, is_over: bool) -> KeyFigure:
    autopay = sheet.autopay
    label = "Autopay scheduled" if is_over else "Autopay to schedule"
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


UNCHANGED = (
    "Nothing was changed: no bill is visible, no balance moved, no payment scheduled, no mail sent."
)
_LATER_STEPS = {
    "schedule autopay": "autopay is not scheduled",
    "send paperless bills": "the e-bills are not sent",
    "write print batch": "the print batch is not written",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tone` is the color: good, careful, bad or calm; `word` says the same without color."""

    word: str
    tone: str
    sentence: str
    aftermath: str = ""


def give_verdict(
    sheet: RunSheet, exceptions: int, *, rehearsal: bool = False, refusal: str = ""
) -> Verdict:
    """
    Say what became of a run and whether somebody has to look at it.

    The books do not know a rehearsal from a run just imported, nor which guard refused before any
    check: the caller says so with `rehearsal` and `refusal`.
    """
    if rehearsal or sheet.state is RunState.STAGED:
        return _rehearsed(sheet, exceptions, refusal)
    if sheet.is_closed:
        return _closed(sheet, exceptions)
    if sheet.state is RunState.REFUSED:
        return Verdict("Refused", "bad", f"{capitalize(_why_refused(sheet, refusal))}.", UNCHANGED)
    if sheet.state is RunState.WAITING:
        sentence = f"Billing period {sheet.period} is ready to close; {_before(sheet, exceptions)}."
        return Verdict("Waiting for approval", "careful", sentence, _until("a person says yes"))
    sentence = f"Billing period {sheet.period} is approved and not closed yet."
    return Verdict("Approved", "careful", sentence, _until("the close runs again"))


def list_unfinished(sheet: RunSheet) -> list[str]:
    """
    Tell which steps after the close are not done.

    A close that was interrupted looks finished in every count: nobody scheduled looks like nobody
    enrolled. The steps' times are the evidence, where the run kept them.
    """
    if sheet.state is not RunState.CLOSED or "publish bills" not in sheet.seconds:
        return []
    return [words for step, words in _LATER_STEPS.items() if step not in sheet.seconds]


def _closed(sheet: RunSheet, exceptions: int) -> Verdict:
    who = f" by {sheet.closed_by}" if sheet.closed_by else ""
    when = f" on {say_moment(sheet.closed_at, sheet.timezone)}" if sheet.closed_at else ""
    left = _left(sheet, exceptions)
    sentence = f"Billing period {sheet.period} was closed{who}{when}; {left}."
    unfinished = list_unfinished(sheet)
    aftermath = ""
    if unfinished:
        aftermath = f"Not finished: {', '.join(unfinished)}. Run the close again; it goes on there."
    if sheet.unposted.count:
        return Verdict("Closed", "bad", sentence, f"{_say_unposted(sheet)} {aftermath}".strip())
    careful = unfinished or _differences(sheet) or sheet.waivers
    return Verdict("Closed", "careful" if careful else "good", sentence, aftermath)


def _say_unposted(sheet: RunSheet) -> str:
    """Say what the list of pending payments holds, which should always be blank (rule 84)."""
    left = sheet.unposted
    return (
        f"{left}, {'taken and ' if left.are_payments else ''}not posted in "
        "cash receipting; see `billclose list pending-payments`."
    )


def _rehearsed(sheet: RunSheet, exceptions: int, refusal: str) -> Verdict:
    word = "Rehearsal (dry run)"
    aftermath = "Nothing was written, sent or drawn; the figures are what the close would bring."
    if refusal or _failed_checks(sheet):
        sentence = f"The close would be refused: {_why_refused(sheet, refusal)}."
        return Verdict(word, "bad", sentence, aftermath)
    sentence = f"Billing period {sheet.period} would close; {_before(sheet, exceptions)}."
    tone = "careful" if open_items(sheet.checklist) else "calm"
    return Verdict(word, tone, sentence, aftermath)


def _before(sheet: RunSheet, exceptions: int) -> str:
    """Say what is left before a yes; an open line of the checklist first, it may be done now."""
    left, items = _left(sheet, exceptions), open_items(sheet.checklist)
    if not items:
        return left
    lines = (
        "1 line of the checklist is" if len(items) == 1 else f"{len(items)} of the checklist are"
    )
    return f"{lines} open ({', '.join(items)}); {left}"


def _why_refused(sheet: RunSheet, refusal: str) -> str:
    failed = _failed_checks(sheet)
    if refusal:
        return refusal.rstrip(". ")
    if failed:
        return f"{say_count(len(failed), 'blocking check')} failed ({', '.join(failed)})"
    return "a guard said no before the checks ran"


def _left(sheet: RunSheet, exceptions: int) -> str:
    """Say in half a sentence whether the totals tie out and what is left to do."""
    off = _differences(sheet)
    totals = "every total ties out"
    if off:
        totals = f"{say_count(off, 'total')} {'does' if off == 1 else 'do'} not tie out"
    if not exceptions:
        return f"{totals} and nothing needs a person"
    needs = "needs" if exceptions == 1 else "need"
    return f"{totals}, and {say_count(exceptions, 'exception')} {needs} a person"


def _differences(sheet: RunSheet) -> int:
    """Count the totals and equations that do not tie out."""
    outcomes = [total.outcome for total in list_control_totals(sheet)]
    outcomes += [equation.outcome for equation in list_equations(sheet)]
    return outcomes.count(Agreement.DIFFERS)


def _failed_checks(sheet: RunSheet) -> list[str]:
    return [result.check for result in sheet.checks if result.status is CheckStatus.FAILED]


def _until(event: str) -> str:
    return f"Until {event}, no bill is visible, no balance moves, nothing is sent or drawn."
