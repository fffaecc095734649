"""Checks of the mandates and of what autopay is about to draw."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from data_checks.check import Check, says
from database.queries.mandates import mandates_in_force
from domain.checks import Severity


def agreed_sql() -> str:
    """
    Return the SELECT of the mandates in force of the run `:period`, for the FROM of a check.

    The one that scheduling goes by, written down: a check that looked at the export alone would
    not see whom the office has enrolled, and would see whose mandate it has ended.
    """
    agreed = sa.select(mandates_in_force(sa.literal_column(":period", sa.String())))
    named: sa.Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(agreed.compile(dialect=named, compile_kwargs={"literal_binds": True}))


_ENROLLED = f"""
    SELECT m.account_key, a.account, m.method_kind AS kind FROM ({agreed_sql()}) m
    JOIN account_now a ON a.period = :period AND a.account_key = m.account_key
    WHERE """

AUTOPAY = (
    Check(
        name="autopay-direct-pay",
        severity=Severity.WARNING,
        what="An account is on autopay and on the office's direct pay.",
        why="It would be drafted twice; autopay leaves it alone.",
        fix="Inactivate direct pay, or let the customer unenroll.",
        sql=_ENROLLED + "a.direct_pay",
        detail=says("on direct pay; nothing is scheduled"),
        rules=(61, 62, 63),
    ),
    Check(
        name="autopay-method-blocked",
        severity=Severity.WARNING,
        what="The payment method of an account on autopay is blocked for it.",
        why="Nothing is drawn, and the customer believes that it is.",
        fix="Lift the block, or tell the customer to enroll with another method.",
        sql=_ENROLLED
        + "(m.method_kind = 'ach' AND a.block_ach OR m.method_kind = 'card' AND a.block_card)",
        detail=says("{kind} is blocked; nothing is scheduled"),
        rules=(137,),
    ),
    Check(
        name="autopay-closed-account",
        severity=Severity.WARNING,
        what="A closed account is on autopay.",
        why="Credits grow on closed accounts that go on paying.",
        fix="Unenroll the account.",
        sql=_ENROLLED + "a.status = 'closed'",
        detail=says("closed; nothing is scheduled"),
    ),
    Check(
        name="autopay-over-maximum",
        severity=Severity.WARNING,
        what="An amount is over the maximum the customer set for autopay.",
        why="Nothing is drawn; the customer must hear of it in time to pay.",
        fix="Tell the customer before the due date.",
        sql="""
            SELECT account_key, account, amount AS amount_cents FROM planned_payment
            WHERE period = :period AND unscheduled = 'over-maximum'""",
        detail=says("{amount_cents} is over the customer's maximum"),
        rules=(50,),
    ),
    Check(
        name="pay-date-past",
        severity=Severity.WARNING,
        what="The chosen day of a draw is past; it is drawn at once.",
        why="Right for a late enrollment, startling when the whole list stands here: the "
        "schedule is late.",
        fix="Nothing, if the draw may be taken today.",
        sql="""
            SELECT account_key, account, pay_on, amount AS amount_cents FROM planned_payment
            WHERE period = :period AND unscheduled IS NULL AND immediate""",
        detail=says("{amount_cents} is drawn at once, on {pay_on}"),
        rules=(54, 59, 73),
    ),
    Check(
        name="notice-short",
        severity=Severity.WARNING,
        what="An ACH draw of a changed amount comes less than ten days after its notice.",
        why="The customer must have time to see a changed amount before it is drawn; an equal-pay "
        "amount is agreed and exempt.",
        fix="Tell the customer, or let the draw come later.",
        sql="""
            SELECT p.account_key, p.account, p.pay_on, p.amount AS amount_cents,
                s.amount AS earlier_cents
            FROM planned_payment p
            JOIN account a ON a.period = p.period AND a.account_key = p.account_key
            LEFT JOIN balance_due b ON b.account_key = p.account_key
                AND b.period IN (SELECT period FROM bill_run WHERE starts_on < :starts_on)
            LEFT JOIN scheduled_payment s
                ON s.period = b.period AND s.account_key = p.account_key AND s.number = 1
            WHERE p.period = :period AND p.unscheduled IS NULL AND p.method_kind = 'ach'
                AND p.pay_on < :noticed_on
                AND (s.amount IS NULL OR s.amount <> p.amount)
                AND NOT (a.status = 'active' AND a.equal_pay_amount IS NOT NULL)""",
        detail=says("{amount_cents} on {pay_on}, the period before {earlier_cents}"),
        rules=(49, 53),
    ),
)


_MANDATE = """
    SELECT m.account_key, COALESCE(a.account, m.account) AS account,
        m.line, m.days_prior, m.maximum AS maximum_cents
    FROM mandate m
    LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
    WHERE m.period = :period AND m.active AND """

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
            LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
            WHERE m.period = :period AND m.active
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
            LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
            LEFT JOIN payment_method p ON p.period = m.period AND p.token = m.method_token
            WHERE m.period = :period AND m.active AND p.token IS NULL""",
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
