"""Checks of the run as a whole."""

from __future__ import annotations

from data_checks.check import Check, Row, says, written
from domain.checks import Severity

_COUNTS = ("accounts", "bills")
_SUMS = (
    "opening_balance",
    "billed",
    "payments",
    "adjustments",
    "penalties",
    "closing_balance",
)


def _sum_of(kind: str) -> str:
    return f"COALESCE(SUM(CASE WHEN kind = '{kind}' THEN amount ELSE 0 END), 0)"


_OURS = f"""
    WITH ours AS (
        SELECT * FROM (
            SELECT COUNT(*) AS accounts, COALESCE(SUM(opening_balance), 0) AS opening_balance,
                COALESCE(SUM(closing_balance), 0) AS closing_balance
            FROM account WHERE period = :period
        ) a CROSS JOIN (
            SELECT COUNT(*) AS bills FROM bill WHERE period = :period AND form NOT LIKE '%-notice'
        ) b CROSS JOIN (
            SELECT {_sum_of("billing")} AS billed, {_sum_of("payment")} AS payments,
                {_sum_of("adjustment")} AS adjustments, {_sum_of("penalty")} AS penalties
            FROM movement WHERE period = :period
        ) m
    ) """


def _compared(total: str) -> str:
    return f"""
    SELECT '' AS account_key, '' AS account, '{total}' AS total,
        o.{total} AS ours, r.control_{total} AS theirs
    FROM ours o CROSS JOIN bill_run r WHERE r.period = :period AND o.{total} <> r.control_{total}"""


def _total_says(row: Row) -> str:
    """Name the total with both figures, sums in dollars."""
    total = str(row["total"])
    column = total if total in _COUNTS else f"{total}_cents"
    ours, theirs = written(column, row["ours"]), written(column, row["theirs"])
    return f"{total.replace('_', ' ')}: ours {ours}, announced {theirs}"


TOTALS = (
    Check(
        name="control-totals",
        severity=Severity.BLOCKING,
        what="A count or sum is not what the billing system announced.",
        why="The export or the bulk file is incomplete, or not of this period.",
        fix="Export and print again; both must come from the same state of the billing system.",
        sql=_OURS + " UNION ALL ".join(_compared(total) for total in _COUNTS + _SUMS),
        detail=_total_says,
    ),
    Check(
        name="billed-total",
        severity=Severity.WARNING,
        what="The sum of all bills is not the sum of the amounts due of the accounts billed.",
        why="The one figure to compare with the general ledger.",
        fix="See bill-amount and bill-unknown-account for the bills that differ.",
        sql="""
            SELECT '' AS account_key, '' AS account, t.printed_cents, t.due_cents
            FROM (
                SELECT COALESCE(SUM(b.printed_amount_due), 0) AS printed_cents,
                    COALESCE(SUM(a.amount_due), 0) AS due_cents
                FROM bill b
                JOIN bulk_file f ON f.period = b.period AND f.bulk = b.bulk
                LEFT JOIN account a ON a.period = b.period AND a.account_key = b.account_key
                WHERE b.period = :period AND b.form NOT LIKE '%-notice'
                    AND COALESCE(f.amount_due_pattern, '') <> ''
            ) t
            WHERE t.printed_cents <> t.due_cents""",
        detail=says("the bills add up to {printed_cents}, the amounts due to {due_cents}"),
        rules=(38,),
    ),
    Check(
        name="due-date-window",
        severity=Severity.WARNING,
        what="The due date leaves very little or very much time to pay.",
        why="Law and tariff fix a shortest time; a wrong year or month shows here too.",
        fix="Correct the due date in bundle.toml, or confirm it.",
        sql="""
            SELECT '' AS account_key, '' AS account, ends_on, due_on FROM bill_run
            WHERE period = :period AND (due_on < :earliest_due_on OR due_on > :latest_due_on)""",
        detail=says("the period ends on {ends_on} and is due on {due_on}"),
        rules=(49,),
    ),
)
