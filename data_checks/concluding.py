"""What becomes of a check: its status, from the verdict, the rows found and the waivers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from data_checks.check import Check
from data_checks.findings import Finding
from data_checks.runner import Verdict
from domain.checks import NEVER_WAIVED, CheckResult, CheckStatus, Severity


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A check with its result, its rows, and the error if it crashed."""

    check: Check
    result: CheckResult
    findings: tuple[Finding, ...]
    error: str = ""


def conclude(
    check: Check, verdict: Verdict, findings: tuple[Finding, ...], waived: Collection[str]
) -> Conclusion:
    """
    Decide the status of a check.

    A check that crashed fails whatever its severity and cannot be waived: nothing is known about
    the data, and not knowing is no reason to go on. The same holds where the framework counts
    other rows than we found.
    """
    error = verdict.error
    if not error and verdict.failed != len(findings):
        error = f"the framework counts {verdict.failed} rows, our own query {len(findings)}"
    result = CheckResult(
        check=check.name,
        severity=check.severity,
        status=CheckStatus.FAILED if error else _status(check, findings, waived),
        failed=len(findings),
        accounts=tuple(dict.fromkeys(row.account for row in findings if row.account)),
    )
    return Conclusion(check, result, findings, error)


def is_waivable(check: Check) -> bool:
    """Only what blocks needs a waiver, and some things are never waived."""
    return check.severity is Severity.BLOCKING and check.name not in NEVER_WAIVED


def _status(check: Check, findings: tuple[Finding, ...], waived: Collection[str]) -> CheckStatus:
    if not findings:
        return CheckStatus.PASSED
    if check.severity is Severity.WARNING:
        return CheckStatus.WARNED
    if check.name in waived and is_waivable(check):
        return CheckStatus.WAIVED
    return CheckStatus.FAILED
