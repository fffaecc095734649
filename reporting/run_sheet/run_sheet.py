"""The run sheet: counts and totals of one run, for the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from database.postings import NOTHING_UNPOSTED, Unposted
from database.queries.export_notes import ExportNote
from domain.checklist import ChecklistLine
from domain.checks import NOTHING_FOUND, CheckResult, FoundByChecks
from domain.money import ZERO, Money
from domain.runs import RunState
from reporting.run_sheet.judged_figures import JudgedFigure
from reporting.run_sheet.ledger import LedgerSheet, MoneySheet
from rules.money.returns import ReturnRate

TOTALS = (
    "accounts", "bills", "opening_balance", "billed", "payments", "adjustments", "penalties",
    "closing_balance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AutopaySheet:
    """The two lists of autopay, planned before the close and scheduled after it."""

    scheduled: int
    immediate: int
    unscheduled: int
    amount: Money
    reasons: dict[str, int]  # why enrolled accounts have no payment


@dataclass(frozen=True, slots=True)
class DeliverySheet:
    """What became of the e-bills: messages, and bills that went out by mail in one or more."""

    messages: int
    sent: int
    failed: int
    deferred: int
    in_doubt: int
    queued: int
    bills: int
    bills_sent: int
    possible_duplicates: int = 0  # of the messages sent: they may have arrived twice


@dataclass(frozen=True, slots=True)
class PaperSheet:
    bills: int
    pages: int
    files: tuple[str, ...]
    reasons: dict[str, int]
    sheets: int = 0  # once they are printed
    envelopes: int = 0


@dataclass(frozen=True, slots=True)
class HeldSheet:
    """The bills of a run that are held back now, and those that were released."""

    held: int = 0  # accounts
    amount: Money = ZERO  # their amounts due, none of which moved
    released: int = 0
    released_amount: Money = ZERO


@dataclass(frozen=True, slots=True)
class DrawDay:
    """The autopay payments of one local day."""

    pay_on: date
    payments: int
    amount: Money


@dataclass(frozen=True, slots=True)
class WaivedCheck:
    check: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunSheet:
    """Everything that the report and the command's JSON say of a run."""

    period: str
    utility: str
    timezone: str
    starts_on: date
    ends_on: date
    due_on: date
    state: RunState
    export_name: str
    export_sha256: str
    imported_at: datetime
    imported_by: str
    approved_at: datetime | None
    approved_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    pages: dict[str, int]  # total, billed, separators, unassigned
    bills: int
    printed_total: Money  # sum of the amounts printed on the bills
    amount_due_total: Money  # sum of the amounts due of the accounts billed
    checks: tuple[CheckResult, ...]
    check_texts: dict[str, tuple[str, str]]  # check -> what it says, what to do
    waivers: tuple[WaivedCheck, ...]
    control: dict[str, int | Money]  # the billing system's totals
    totals: dict[str, int | Money]  # ours, by the same names
    accounts_closed: int
    held: int  # accounts whose bill is held back, by a person or a waiver
    held_bills: int  # of these, bills that therefore go neither by mail nor on paper
    both: int  # bills that go by mail and on paper
    autopay: AutopaySheet
    not_enrolled: int
    deliveries: DeliverySheet
    paper: PaperSheet
    seconds: dict[str, float]
    open_accounts_total: Money = ZERO  # sum of the amounts due of all accounts that are not closed
    balances_moved: Money = ZERO  # sum of Balance Due as this close left it
    ledger: LedgerSheet = field(default_factory=LedgerSheet)
    money: MoneySheet = field(default_factory=MoneySheet)  # of all periods
    outsorting: HeldSheet = field(default_factory=HeldSheet)
    draws: tuple[DrawDay, ...] = ()
    copies_read_back: int = 0  # bill documents read back before they were filed
    copies_audited: int = 0  # bill documents that had the full audit
    return_rates: tuple[ReturnRate, ...] = ()  # of the last ACH draws; Nacha's limits with them
    unposted: Unposted = NOTHING_UNPOSTED  # of all periods: taken, and not in cash receipting
    notes: tuple[ExportNote, ...] = ()  # what of the export is not used, or is absent
    findings: FoundByChecks = (
        NOTHING_FOUND  # with customers' names: for whoever decides, not for logs
    )
    figures: tuple[JudgedFigure, ...] = ()  # this month's against those before
    checklist: tuple[ChecklistLine, ...] = ()  # beside the close: as it stood at the yes

    @property
    def is_closed(self) -> bool:
        return self.state in (RunState.CLOSED, RunState.FINISHED)


def autopay_figures(autopay: AutopaySheet) -> dict[str, Any]:
    return {
        "scheduled": autopay.scheduled,
        "immediate": autopay.immediate,
        "unscheduled": autopay.unscheduled,
        "amount": str(autopay.amount),
    }


def outsorting_figures(outsorting: HeldSheet) -> dict[str, Any]:
    return {
        "held": outsorting.held,
        "amount": str(outsorting.amount),
        "released": outsorting.released,
        "released_amount": str(outsorting.released_amount),
    }


def check_figures(checks: Iterable[CheckResult]) -> list[dict[str, Any]]:
    return [
        {
            "check": result.check,
            "severity": result.severity.value,
            "status": result.status.value,
            "failed": result.failed,
        }
        for result in checks
    ]


def total_figures(sheet: RunSheet) -> dict[str, int | str]:
    return {
        name: str(total) if isinstance(total, Money) else total
        for name, total in sheet.totals.items()
    }
