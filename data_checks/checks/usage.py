"""Checks of what the meters say."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

_USED = """SELECT account_key, service, SUM(usage) AS usage FROM movement
                WHERE period = {period} AND kind = 'billing' AND usage IS NOT NULL
                GROUP BY account_key, service"""
_USED_NOW = _USED.format(period=":period")
_USED_YEAR_AGO = _USED.format(period=":year_ago_run")
_USED_BEFORE = """SELECT m.account_key, m.service, SUM(m.usage) AS usage
                FROM balance_due b
                JOIN bill_run before ON before.period = b.period AND before.starts_on < :starts_on
                JOIN movement m ON m.period = b.period AND m.account_key = b.account_key
                WHERE m.kind = 'billing' AND m.usage IS NOT NULL
                GROUP BY m.account_key, m.service"""

USAGE = (
    Check(
        name="usage-outlier",
        severity=Severity.WARNING,
        what="A usage is far above what is usual.",
        why="A leak, a misread meter or a wrong multiplier; the month a year ago is looked at "
        "too, so that a season is no finding.",
        fix="Read the meter again or tell the customer; where it is right, go on.",
        sql=f"""
            WITH suspect AS (
                SELECT u.account_key, u.service, u.usage, y.usage AS year_ago
                FROM ({_USED_NOW}) u
                LEFT JOIN ({_USED_YEAR_AGO}) y
                    ON y.account_key = u.account_key AND y.service = u.service
                WHERE u.usage > :usage_floor
                    AND u.usage > :usage_factor * COALESCE(y.usage, 0)
            ), past AS (
                SELECT s.account_key, s.service,
                    SUM(h.usage) / COUNT(DISTINCT h.period) AS usage
                FROM suspect s
                CROSS JOIN bill_run r
                JOIN period_close c ON c.period = r.period
                JOIN movement h ON h.period = r.period AND h.account_key = s.account_key
                    AND h.service = s.service
                WHERE r.starts_on >= :history_from AND r.starts_on < :starts_on
                    AND h.kind = 'billing' AND h.usage > 0
                GROUP BY s.account_key, s.service
            ), ranked AS (
                SELECT service, usage,
                    ROW_NUMBER() OVER (PARTITION BY service ORDER BY usage) AS place,
                    COUNT(*) OVER (PARTITION BY service) AS number
                FROM ({_USED_NOW}) n WHERE usage > 0
            ), peers AS (
                SELECT service, AVG(usage) AS median FROM ranked
                WHERE 2 * place IN (number, number + 1, number + 2) GROUP BY service
            )
            SELECT s.account_key, a.account, s.service, s.usage,
                COALESCE(p.usage, q.median) AS usual
            FROM suspect s
            JOIN account a ON a.period = :period AND a.account_key = s.account_key
            LEFT JOIN past p ON p.account_key = s.account_key AND p.service = s.service
            JOIN peers q ON q.service = s.service
            WHERE s.usage > :usage_factor * p.usage
                OR (p.account_key IS NULL AND s.usage > :usage_peer_floor
                    AND s.usage > :usage_peer_factor * q.median)""",
        detail=says("{service}: {usage} used, usual is {usual}"),
    ),
    Check(
        name="usage-zero",
        severity=Severity.WARNING,
        what="An active account that used a service used nothing.",
        why="A dead meter bills nothing for as long as nobody looks.",
        fix="Read the meter; where the house is empty, go on.",
        sql=f"""
            SELECT a.account_key, a.account, p.service, p.usage AS earlier
            FROM ({_USED_BEFORE}) p
            JOIN account a ON a.period = :period AND a.account_key = p.account_key
            LEFT JOIN ({_USED_NOW}) u
                ON u.account_key = p.account_key AND u.service = p.service
            WHERE a.status = 'active' AND p.usage > :usage_floor AND COALESCE(u.usage, 0) = 0""",
        detail=says("{service}: nothing used, {earlier} the period before"),
    ),
    Check(
        name="usage-negative",
        severity=Severity.WARNING,
        what="A usage is negative.",
        why="A meter was changed or read wrongly; the charge follows from it.",
        fix="Read the meter again, or confirm the correction.",
        sql="""
            SELECT m.account_key, COALESCE(a.account, m.account) AS account, m.line, m.usage
            FROM movement m
            LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
            WHERE m.period = :period AND m.usage < 0""",
        detail=says("movement {line}: {usage} used"),
    ),
)
