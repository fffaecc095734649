"""What a person is asked to approve: the figures, and what of them binds the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from domain.checks import CheckStatus, Severity
from domain.money import Money
from domain.words import say_count
from reporting.report.markdown import markdown_checklist, markdown_findings
from reporting.run_sheet.run_sheet import RunSheet, autopay_figures, check_figures, total_figures

STOPPING = (CheckStatus.FAILED, CheckStatus.WAIVED)


def asked_figures(sheet: RunSheet) -> dict[str, Any]:
    """Return what would happen, in the figures that a dry run gives; money as decimal strings."""
    return {
        "utility": sheet.utility,
        "period": sheet.period,
        "due_on": sheet.due_on.isoformat(),
        "export": {"name": sheet.export_name, "sha256": sheet.export_sha256},
        "accounts": sheet.totals["accounts"],
        "pages": sheet.pages,
        "bills": sheet.bills,
        "amount_due": str(sheet.amount_due_total),
        "totals": total_figures(sheet),
        "autopay": autopay_figures(sheet.autopay),
        "deliveries": {"mails": sheet.deliveries.messages, "bills": sheet.deliveries.bills},
        "paper": {"bills": sheet.paper.bills, "pages": sheet.paper.pages},
        "held": sheet.held,
        "checks": check_figures(
            result for result in sheet.checks if result.status is not CheckStatus.PASSED
        ),
    }


def binding_digest(sheet: RunSheet) -> str:
    """
    Return the SHA-256 of what an answer is bound to: the staged data and what they come to.

    Bound are the export, the bills with their pages and amounts, the totals, and the blocking
    checks that found something, waived or not: somebody approves and waives in one go. Not bound
    is what time alone changes between a Friday's yes and a Monday's close, such as a draw that has
    become due at once, an enrollment that ended or an address that bounced.
    """
    binding = {
        "export": sheet.export_sha256,
        "period": [sheet.period, sheet.starts_on.isoformat(), sheet.ends_on.isoformat()],
        "due_on": sheet.due_on.isoformat(),
        "pages": sheet.pages,
        "bills": sheet.bills,
        "amounts": [str(sheet.amount_due_total), str(sheet.printed_total)],
        "open_accounts": str(sheet.open_accounts_total),
        "totals": total_figures(sheet),
        "blocking": sorted([check.check, check.failed] for check in _blocking(sheet)),
    }
    text = json.dumps(binding, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def blocking_checks(sheet: RunSheet) -> tuple[str, ...]:
    """Return the checks that stop the close as long as nobody waives them."""
    return tuple(result.check for result in sheet.checks if result.status is CheckStatus.FAILED)


def say_figures(figures: dict[str, Any]) -> str:
    """Say in one line what is approved, for the audit list and a state's message."""
    autopay, mails, paper = figures["autopay"], figures["deliveries"], figures["paper"]
    return (
        f"{say_count(figures['bills'], 'bill')}, {_dollars(figures['amount_due'])}; "
        f"{say_count(mails['mails'], 'mail')}, {say_count(paper['bills'], 'bill')} on paper; "
        f"autopay {say_count(autopay['scheduled'], 'payment')}, {_dollars(autopay['amount'])}"
    )


def say_drift(asked: dict[str, Any], now: dict[str, Any]) -> str:
    """Say what has moved since the question was asked and does not take the answer back."""
    if asked["autopay"] == now["autopay"] and asked["deliveries"] == now["deliveries"]:
        return ""
    return f"since then it came to {say_figures(now)}"


def question(
    figures: dict[str, Any],
    blocking: tuple[str, ...],
    sheet: RunSheet,
    *,
    named: bool = False,
) -> str:
    """
    Write the question as Markdown: what would happen if you say yes, and what the checks found.

    What must be so before a yes stands with it: looked up where that can be, else asked.

    Customers' names stand in it where it is `named`: in the form that a clerk fills in, and never
    in what Prefect shows beside the run.
    """
    said = [*_question_lines(figures, blocking), *markdown_checklist(sheet.checklist)]
    return "\n".join([*said, *markdown_findings(sheet.findings, named=named)])


def _question_lines(figures: dict[str, Any], blocking: tuple[str, ...]) -> Iterator[str]:
    autopay, mails, paper = figures["autopay"], figures["deliveries"], figures["paper"]
    yield f"## {figures['utility']}: close period {figures['period']}?"
    yield ""
    yield "Everything is prepared, and nothing of it shows yet. If you approve:"
    yield ""
    yield "| what would happen | |"
    yield "| --- | --- |"
    yield f"| accounts | {figures['accounts']:,} |"
    amount = _dollars(figures["amount_due"])
    yield f"| bills | {figures['bills']:,}, {amount}, due {figures['due_on']} |"
    by_mail = say_count(mails["bills"], "bill")
    yield f"| by e-mail | {by_mail} in {say_count(mails['mails'], 'mail')} |"
    yield (
        f"| on paper | {say_count(paper['bills'], 'bill')}, {say_count(paper['pages'], 'page')} |"
    )
    yield (
        f"| autopay | {say_count(autopay['scheduled'], 'payment')}, "
        f"{_dollars(autopay['amount'])}; {autopay['immediate']:,} drawn at once |"
    )
    yield f"| enrolled without a payment | {autopay['unscheduled']:,} |"
    yield f"| held back | {say_count(figures['held'], 'bill')} |"
    yield from _check_lines(figures, blocking)


def _check_lines(figures: dict[str, Any], blocking: tuple[str, ...]) -> Iterator[str]:
    found = figures["checks"]
    yield ""
    if not found:
        yield "Every check passed."
        return
    yield "| check | severity | status | found |"
    yield "| --- | --- | --- | --- |"
    for check in found:
        cells = check["check"], check["severity"], check["status"], f"{check['failed']:,}"
        yield f"| {' | '.join(cells)} |"
    if blocking:
        yield ""
        yield (
            f"**{', '.join(blocking)} must be waived, with a reason, or the export corrected.** "
            "The bills of the accounts concerned are then held back until somebody releases them."
        )


def _blocking(sheet: RunSheet) -> Iterator[Any]:
    for result in sheet.checks:
        if result.severity is Severity.BLOCKING and result.status in STOPPING:
            yield result


def _dollars(amount: str) -> str:
    return Money.parse(amount).dollars()
