"""Checks of the mandates themselves."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

_MANDATE = """
    SELECT m.account_key, COALESCE(a.account, m.account) AS account,
        m.line, m.days_prior, m.maximum AS maximum_cents
    FROM mandate m
    LEFT JOIN account a ON a.run = m.run AND a.account_key = m.account_key
    WHERE m.run = :run AND m.active AND """

MANDATES = (
    Check(
        name="mandate-unknown-account",
        severity=Severity.WARNING,
        what="A mandate is for an account that is not in accounts.csv.",
        why="The customer believes that the bill pays itself.",
        fix="Correct the account's number in autopay.csv, or cancel the mandate.",
        sql=_MANDATE + "a.account_key IS NULL",
        detail=says("mandate {line}: the account is unknown"),
        rules=(82,),
    ),
    Check(
        name="mandate-twice",
        severity=Severity.WARNING,
        what="An account has more than one active mandate.",
        why="Only one is drawn; the customer may mean the other.",
        fix="Cancel the one that is out of use.",
        sql="""
            SELECT m.account_key, COALESCE(MIN(a.account), MIN(m.account)) AS account,
                COUNT(*) AS mandates
            FROM mandate m
            LEFT JOIN account a ON a.run = m.run AND a.account_key = m.account_key
            WHERE m.run = :run AND m.active
            GROUP BY m.account_key HAVING COUNT(*) > 1""",
        detail=says("{mandates} active mandates"),
        rules=(60,),
    ),
    Check(
        name="mandate-method-missing",
        severity=Severity.WARNING,
        what="A mandate's payment method is not in payment_methods.csv.",
        why="There is nothing to draw from.",
        fix="Let the customer enroll again.",
        sql="""
            SELECT m.account_key, COALESCE(a.account, m.account) AS account, m.line
            FROM mandate m
            LEFT JOIN account a ON a.run = m.run AND a.account_key = m.account_key
            LEFT JOIN payment_method p ON p.run = m.run AND p.token = m.method_token
            WHERE m.run = :run AND m.active AND p.token IS NULL""",
        detail=says("mandate {line}: its payment method is unknown"),
        rules=(60,),
    ),
    Check(
        name="days-prior-range",
        severity=Severity.WARNING,
        what="The days prior of a mandate are out of range.",
        why="The draw would come after the due date, or before the bill.",
        fix="Let the customer choose again.",
        sql=_MANDATE + "(m.days_prior < 0 OR m.days_prior > :most_days_prior)",
        detail=says("mandate {line}: {days_prior} days prior"),
        rules=(48, 49),
    ),
    Check(
        name="maximum-not-positive",
        severity=Severity.WARNING,
        what="The maximum of a mandate is zero or negative.",
        why="Nothing will ever be drawn.",
        fix="Let the customer choose again.",
        sql=_MANDATE + "m.maximum <= 0",
        detail=says("mandate {line}: a maximum of {maximum_cents}"),
        rules=(50,),
    ),
)
