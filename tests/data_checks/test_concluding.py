"""What becomes of a check."""

from __future__ import annotations

import pytest

from data_checks.check import Finding
from data_checks.checks.catalog import CATALOG
from data_checks.recording import conclude, miscounted
from data_checks.runner import FailedRows
from domain.checks import CheckStatus

CHECKS = {check.name: check for check in CATALOG}
ROW = Finding("0110015", "01.1001.5", "is wrong")
TOTAL = Finding("", "", "bills: ours 1, announced 2")


@pytest.mark.parametrize(
    ("name", "verdict", "findings", "waived", "expected"),
    [
        ("bill-amount", FailedRows(0), (), (), CheckStatus.PASSED),
        ("bill-amount", FailedRows(1), (ROW,), (), CheckStatus.FAILED),
        ("bill-amount", FailedRows(1), (ROW,), ("bill-amount",), CheckStatus.WAIVED),
        ("bill-amount", FailedRows(0), (), ("bill-amount",), CheckStatus.PASSED),
        ("bill-amount", FailedRows(0, "crashed"), (), ("bill-amount",), CheckStatus.FAILED),
        ("bill-amount", FailedRows(2), (ROW,), ("bill-amount",), CheckStatus.FAILED),
        ("sensitive-data", FailedRows(1), (ROW,), ("sensitive-data",), CheckStatus.FAILED),
        ("email-invalid", FailedRows(1), (ROW,), (), CheckStatus.WARNED),
        ("email-invalid", FailedRows(1), (ROW,), ("email-invalid",), CheckStatus.WARNED),
        ("email-invalid", FailedRows(0, "crashed"), (), (), CheckStatus.FAILED),
    ],
)
def test_a_check_is_concluded(name, verdict, findings, waived, expected):
    conclusion = conclude(CHECKS[name], findings, waived, miscounted(verdict, findings))

    assert expected is conclusion.result.status


def test_a_disagreement_with_the_framework_is_an_error():
    assert "the framework counts 3 rows, our own query 1" == miscounted(FailedRows(3), (ROW,))


def test_accounts_are_listed_once_and_totals_are_none():
    result = conclude(CHECKS["control-totals"], (TOTAL, ROW, ROW), ()).result

    assert (result.failed, result.accounts) == (3, ("01.1001.5",))
