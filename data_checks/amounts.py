"""Checks of bills that are readable and consistent, but unusual."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

AMOUNTS = (
    Check(
        name="amount-outlier",
        severity=Severity.WARNING,
        what="An amount due is far above what is usual.",
        why="A misread meter or a wrong multiplier shows here before it shows in the mail.",
        fix="Look at the charges; where they are right, go on.",
        sql="""
            WITH suspect AS (
                SELECT a.account_key, a.account, a.amount_due, y.amount_due AS year_ago
                FROM account a
                LEFT JOIN account y ON y.run = :year_ago_run AND y.account_key = a.account_key
                WHERE a.run = :run AND a.status <> 'closed' AND a.amount_due > :amount_floor
            ), past AS (
                SELECT s.account_key, AVG(h.amount_due) AS amount_due
                FROM suspect s
                CROSS JOIN bill_run r
                JOIN period_close c ON c.run = r.run
                JOIN account h ON h.run = r.run AND h.account_key = s.account_key
                WHERE r.starts_on >= :history_from AND r.starts_on < :starts_on
                GROUP BY s.account_key
            ), ranked AS (
                SELECT amount_due, ROW_NUMBER() OVER (ORDER BY amount_due) AS place,
                    COUNT(*) OVER () AS number
                FROM account WHERE run = :run AND status <> 'closed' AND amount_due > 0
            ), peers AS (
                SELECT AVG(amount_due) AS median FROM ranked
                WHERE 2 * place IN (number, number + 1, number + 2)
            )
            SELECT s.account_key, s.account, s.amount_due AS due_cents,
                COALESCE(p.amount_due, q.median) AS usual_cents
            FROM suspect s
            LEFT JOIN past p ON p.account_key = s.account_key
            CROSS JOIN peers q
            WHERE (p.account_key IS NOT NULL
                    AND s.amount_due > :amount_factor * p.amount_due
                    AND s.amount_due > :amount_factor * COALESCE(s.year_ago, 0))
                OR (p.account_key IS NULL AND s.amount_due > :amount_peer_floor
                    AND s.amount_due > :amount_peer_factor * q.median)""",
        detail=says("{due_cents} is due, usual is {usual_cents}"),
    ),
    Check(
        name="large-bill",
        severity=Severity.WARNING,
        what="An amount due is over the limit for a second pair of eyes.",
        why="The few largest bills are worth a look each month, usual or not.",
        fix="Look at the charges; where they are right, go on.",
        sql="""
            SELECT account_key, account, amount_due AS due_cents FROM account
            WHERE run = :run AND status <> 'closed' AND amount_due > :large_bill""",
        detail=says("{due_cents} is due"),
    ),
    Check(
        name="page-count",
        severity=Severity.WARNING,
        what="A bill has very many pages.",
        why="Bills that were not told apart make one long bill that shows other customers' pages.",
        fix="Open the bill.",
        sql="""
            SELECT b.account_key, COALESCE(a.account, b.account) AS account, b.pages
            FROM bill b
            LEFT JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND b.pages > :most_pages""",
        detail=says("{pages} pages"),
        rules=(11,),
    ),
)
