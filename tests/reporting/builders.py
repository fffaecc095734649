"""Run sheets and exceptions of a small city: a perfect close, of which a test changes a part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from domain.checks import CheckResult, CheckStatus, Severity
from domain.money import Money
from domain.runs import RunState
from reporting.run_sheet.exceptions import ExceptionRow
from reporting.run_sheet.run_sheet import (
    AutopaySheet,
    DeliverySheet,
    HeldSheet,
    PaperSheet,
    RunSheet,
    WaivedCheck,
)

WRITTEN_AT = datetime(2026, 11, 2, 16, 11, tzinfo=UTC)

CHECKS: dict[str, tuple[Severity, str, str]] = {
    "unreadable-row": (
        Severity.BLOCKING,
        "A row of the export cannot be read.",
        "Correct the row in the billing system and export again.",
    ),
    "account-duplicate": (
        Severity.BLOCKING,
        "An account stands twice in accounts.csv.",
        "Remove one of the two and export again.",
    ),
    "sensitive-data": (
        Severity.BLOCKING,
        "A value looks like a card or bank number.",
        "Take the number out and export again.",
    ),
    "page-unassigned": (
        Severity.BLOCKING,
        "A page of a bulk file belongs to no bill.",
        "Look at the page; correct the pattern or print the bulk file again.",
    ),
    "bill-missing": (
        Severity.BLOCKING,
        "An account was billed this period and has no bill.",
        "Print the bulk file again with the bill, or take the charge back.",
    ),
    "roll-forward": (
        Severity.BLOCKING,
        "Opening balance and movements do not make the closing balance.",
        "Export again; if it stays, look the account up in the billing system.",
    ),
    "bill-amount": (
        Severity.BLOCKING,
        "The amount on a bill is not the amount due.",
        "Find out which is right; print or export again.",
    ),
    "bill-due-date": (
        Severity.BLOCKING,
        "The due date on a bill is not the period's due date.",
        "Print the bulk file again with the right date.",
    ),
    "control-totals": (
        Severity.BLOCKING,
        "A count or sum is not what the billing system announced.",
        "Export and print again; both must come from the same state of the billing system.",
    ),
    "billed-total": (
        Severity.WARNING,
        "The sum of all bills is not the sum of the amounts due of the accounts billed.",
        "See bill-amount and bill-unknown-account for the bills that differ.",
    ),
    "ebill-no-email": (
        Severity.WARNING,
        "A paperless account has no valid e-mail address.",
        "Ask the customer for an address.",
    ),
    "email-invalid": (
        Severity.WARNING,
        "An e-mail address of an account cannot be used.",
        "Correct the address; several are separated by a semicolon without spaces.",
    ),
    "negative-bill": (
        Severity.WARNING,
        "A bill has a negative amount due.",
        "Decide whether the credit stays or is paid out.",
    ),
    "usage-outlier": (
        Severity.WARNING,
        "A usage is far above what is usual.",
        "Read the meter again or tell the customer; where it is right, go on.",
    ),
    "due-date-window": (
        Severity.WARNING,
        "The due date leaves very little or very much time to pay.",
        "Correct the due date in bundle.toml, or confirm it.",
    ),
}

SECONDS = {
    "import billing export": 1.204,
    "guard calendar": 0.003,
    "split bulk bills": 14.612,
    "check bills and balances": 3.871,
    "await approval": 65.204,
    "publish bills": 0.412,
    "schedule autopay": 0.655,
    "send paperless bills": 18.37,
    "write print batch": 2.26,
}


def a_sheet(**changes: Any) -> RunSheet:
    """A close in which everything ties out and nothing is left to do."""
    totals: dict[str, int | Money] = {
        "accounts": 400,
        "bills": 395,
        "opening_balance": Money(9_582_95),
        "billed": Money(52_329_49),
        "payments": Money(-6_443_65),
        "adjustments": Money(-77_35),
        "penalties": Money(170_00),
        "closing_balance": Money(55_561_44),
    }
    perfect = RunSheet(
        period="2026-10",
        utility="City of Larkspur",
        timezone="America/Denver",
        starts_on=date(2026, 10, 1),
        ends_on=date(2026, 10, 31),
        due_on=date(2026, 11, 20),
        state=RunState.CLOSED,
        export_name="larkspur-2026-10.zip",
        export_sha256="9f2c41d07be6a3558c1e" + "0a" * 22,
        imported_at=datetime(2026, 11, 2, 15, 58, tzinfo=UTC),
        imported_by="dana.ruiz",
        approved_at=datetime(2026, 11, 2, 16, 3, tzinfo=UTC),
        approved_by="lee.okafor",
        closed_at=datetime(2026, 11, 2, 16, 4, tzinfo=UTC),
        closed_by="dana.ruiz",
        pages={"total": 832, "billed": 812, "separators": 20, "unassigned": 0},
        bills=395,
        printed_total=Money(54_902_17),
        amount_due_total=Money(54_902_17),
        checks=tuple(a_check(name) for name in CHECKS),
        check_texts={name: (what, fix) for name, (_, what, fix) in CHECKS.items()},
        waivers=(),
        control=totals,
        totals=dict(totals),
        accounts_closed=5,
        held=0,
        held_bills=0,
        both=38,
        autopay=AutopaySheet(
            scheduled=141,
            immediate=4,
            unscheduled=9,
            amount=Money(18_340_72),
            reasons={"zero-balance": 6, "over-maximum": 2, "already-processed": 1},
        ),
        not_enrolled=250,
        deliveries=DeliverySheet(
            messages=262,
            sent=262,
            failed=0,
            deferred=0,
            in_doubt=0,
            queued=0,
            bills=231,
            bills_sent=231,
        ),
        paper=PaperSheet(
            bills=202,
            pages=415,
            files=("/srv/office/print/2026-10-utility-bill.pdf",),
            reasons={"send-paper": 61, "no-ebill": 138, "no-valid-email": 3},
        ),
        seconds=dict(SECONDS),
    )
    return replace(perfect, **changes)


def a_check(name: str, failed: int = 0, status: CheckStatus | None = None) -> CheckResult:
    severity = CHECKS[name][0]
    worse = CheckStatus.FAILED if severity is Severity.BLOCKING else CheckStatus.WARNED
    return CheckResult(
        name, severity, status or (worse if failed else CheckStatus.PASSED), failed, ()
    )


def with_checks(*results: CheckResult) -> tuple[CheckResult, ...]:
    """All checks passed but those given."""
    given = {result.check: result for result in results}
    return tuple(given.get(name) or a_check(name) for name in CHECKS)


def an_exception(code: str = "email-invalid", **changes: Any) -> ExceptionRow:
    severity, _, fix = CHECKS.get(code, (Severity.WARNING, "", "Print the bill."))
    row = ExceptionRow(
        account="01.1037.1",
        stage="mail" if code.startswith("mail-") else "check",
        code=code,
        message="1 of 2 addresses cannot be used",
        fix=fix,
        blocking=severity is Severity.BLOCKING,
    )
    return replace(row, **changes)


def account_number(position: int) -> str:
    return f"{position // 90 + 1:02d}.{1000 + position * 7}.{position % 3 + 1}"


def exceptions_of(code: str, number: int, message: str = "") -> list[ExceptionRow]:
    return [
        an_exception(code, account=account_number(position), message=message)
        for position in range(number)
    ]


def with_exceptions() -> tuple[RunSheet, list[ExceptionRow]]:
    """A close with a waiver, warnings and e-mails that did not leave."""
    sheet = a_sheet(
        checks=with_checks(
            a_check("bill-amount", 14, CheckStatus.WAIVED),
            a_check("email-invalid", 17),
            a_check("ebill-no-email", 3),
            a_check("negative-bill", 2),
            a_check("due-date-window", 1),
            a_check("billed-total", 1),
        ),
        waivers=(
            WaivedCheck(
                "bill-amount",
                "Reprint of the fourteen bills is at the printer; letters go out on Thursday.",
                "lee.okafor",
                datetime(2026, 11, 2, 16, 2, tzinfo=UTC),
            ),
        ),
        printed_total=Money(54_951_17),
        held=14,
        outsorting=HeldSheet(14, Money(1_103_20), 2, Money(90_00)),
        held_bills=9,
        both=36,
        deliveries=DeliverySheet(255, 250, 3, 1, 1, 0, 224, 220),
        paper=PaperSheet(
            198, 402, ("2026-10-utility-bill.pdf",), {"send-paper": 61, "no-ebill": 137}
        ),
        autopay=AutopaySheet(
            136, 4, 14, Money(17_702_18), {"held": 5, "zero-balance": 6, "over-maximum": 3}
        ),
    )
    refused = "550 5.1.1 <pat.jones@example.org>: mailbox unavailable"
    exceptions = [
        *exceptions_of("bill-amount", 14, "the bill shows $84.10, the amount due is $80.60"),
        *exceptions_of("ebill-no-email", 3, "paperless without a valid address; goes on paper"),
        *exceptions_of("email-invalid", 17, "1 of 2 addresses cannot be used"),
        *exceptions_of("negative-bill", 2, "the bill shows -$12.40"),
        an_exception("due-date-window", account="", message="due 19 days after the period's end"),
        an_exception("billed-total", account="", message="the bills add up to $54,951.17"),
        *exceptions_of("mail-failed", 3, refused),
        *exceptions_of("mail-deferred", 1, "451 4.7.1 try again later"),
        *exceptions_of("mail-in-doubt", 1, "the connection broke before the answer"),
    ]
    return sheet, exceptions


def a_refused_run() -> tuple[RunSheet, list[ExceptionRow]]:
    sheet = a_sheet(
        state=RunState.REFUSED,
        approved_at=None,
        approved_by=None,
        closed_at=None,
        closed_by=None,
        checks=with_checks(
            a_check("control-totals", 2), a_check("page-unassigned", 2), a_check("bill-missing", 1)
        ),
        pages={"total": 832, "billed": 810, "separators": 20, "unassigned": 2},
        bills=394,
        totals=a_sheet().totals | {"bills": 394, "payments": Money(-6_412_18)},
        deliveries=DeliverySheet(0, 0, 0, 0, 0, 0, 231, 0),
        paper=PaperSheet(0, 0, (), {}),
        printed_total=Money(54_871_05),
        amount_due_total=Money(54_871_05),
        seconds={step: SECONDS[step] for step in list(SECONDS)[:4]},
    )
    exceptions = [
        an_exception("page-unassigned", account="", message="bills.pdf, page 411: no account"),
        an_exception("page-unassigned", account="", message="bills.pdf, page 412: no account"),
        an_exception("bill-missing", account="02.1433.2", message="$31.12 billed, no bill found"),
        an_exception("control-totals", account="", message="bills: ours 394, announced 395"),
        an_exception(
            "control-totals",
            account="",
            message="payments: ours -$6,412.18, announced -$6,443.65",
        ),
    ]
    return sheet, exceptions


def a_rehearsal() -> tuple[RunSheet, list[ExceptionRow]]:
    sheet = a_sheet(
        state=RunState.STAGED,
        approved_at=None,
        approved_by=None,
        closed_at=None,
        closed_by=None,
        checks=with_checks(a_check("email-invalid", 4)),
        deliveries=DeliverySheet(0, 0, 0, 0, 0, 0, 231, 0),
        paper=PaperSheet(0, 0, (), {}),
        seconds={step: SECONDS[step] for step in list(SECONDS)[:4]},
    )
    return sheet, exceptions_of("email-invalid", 4, "1 of 2 addresses cannot be used")


def a_huge_close(number: int = 5000) -> tuple[RunSheet, Iterable[ExceptionRow]]:
    half = number // 2
    sheet = a_sheet(
        bills=195_412,
        held_bills=number - half,
        both=0,
        deliveries=DeliverySheet(100_000, 100_000, 0, 0, 0, 0, 100_000, 100_000),
        paper=PaperSheet(95_412 - (number - half), 200_000, (), {}),
        checks=with_checks(
            a_check("email-invalid", half),
            a_check("bill-due-date", number - half, CheckStatus.WAIVED),
        ),
    )
    rows = exceptions_of("email-invalid", half)
    rows += exceptions_of("bill-due-date", number - half, "the bill shows 2026-11-21")
    return sheet, rows
