"""Checks of the movements and of the balances they lead to."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

_MOVEMENT_SAYS = says("movement {line}: {kind} of {amount_cents} on {posted_on}")
_MOVEMENT = """
    SELECT m.account_key, COALESCE(a.account, m.account) AS account,
        m.line, m.kind, m.amount AS amount_cents, m.posted_on
    FROM movement m
    LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
    WHERE m.period = :period AND """

BALANCES = (
    Check(
        name="roll-forward",
        severity=Severity.BLOCKING,
        what="Opening balance and movements do not make the closing balance.",
        why="Each account is checked and then the total: a total can agree while money sits on "
        "the wrong account.",
        fix="Look for a movement that is missing, doubled or on another account.",
        sql="""
            WITH moved AS (
                SELECT account_key, SUM(amount) AS amount FROM movement
                WHERE period = :period GROUP BY account_key
            ), off AS (
                SELECT a.account_key, a.account, a.opening_balance AS opening_cents,
                    COALESCE(m.amount, 0) AS moved_cents,
                    a.opening_balance + COALESCE(m.amount, 0) AS reached_cents,
                    a.closing_balance AS closing_cents
                FROM account a LEFT JOIN moved m ON m.account_key = a.account_key
                WHERE a.period = :period
                    AND a.opening_balance + COALESCE(m.amount, 0) <> a.closing_balance
            )
            SELECT * FROM off
            UNION ALL
            SELECT '', '', b.opening, t.amount, b.opening + t.amount, b.closing
            FROM (
                SELECT COALESCE(SUM(opening_balance), 0) AS opening,
                    COALESCE(SUM(closing_balance), 0) AS closing
                FROM account WHERE period = :period
            ) b CROSS JOIN (SELECT COALESCE(SUM(amount), 0) AS amount FROM moved) t
            WHERE b.opening + t.amount <> b.closing AND NOT EXISTS (SELECT 1 FROM off)""",
        detail=says(
            "opening {opening_cents} and movements {moved_cents} make {reached_cents}, "
            "the closing balance is {closing_cents}"
        ),
    ),
    Check(
        name="movement-unknown-account",
        severity=Severity.BLOCKING,
        what="A movement is on an account that is not in accounts.csv.",
        why="Money without an account vanishes from every report that starts with the accounts.",
        fix="Correct the number in transactions.csv or export the account.",
        sql="""
            SELECT m.account_key, MIN(m.account) AS account,
                COUNT(*) AS movements, SUM(m.amount) AS amount_cents
            FROM movement m
            LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
            WHERE m.period = :period AND a.account_key IS NULL
            GROUP BY m.account_key""",
        detail=says("an unknown account; movements: {movements}, in sum {amount_cents}"),
    ),
    Check(
        name="movement-outside-period",
        severity=Severity.WARNING,
        what="A movement is dated outside the period.",
        why="It belongs to another period's totals (cut-off).",
        fix="Correct the date, or confirm that it is a prior-period correction.",
        sql=_MOVEMENT
        + """(m.posted_on < :starts_on OR m.posted_on > :ends_on) AND NOT EXISTS (
            SELECT 1 FROM balance_entry e WHERE e.account_key = m.account_key
                AND e.source <> 'feed' AND e.in_export_of IS NULL
                AND (e.reference = m.reference
                    OR (m.reference = '' AND e.amount = m.amount
                        AND e.happened_on <= m.posted_on)))""",
        detail=_MOVEMENT_SAYS,
        rules=(10,),
    ),
    Check(
        name="wrong-sign",
        severity=Severity.WARNING,
        what="A payment is positive or a penalty negative.",
        why="A payment booked as a charge doubles the customer's debt.",
        fix="Correct the sign, or confirm that a payment or penalty was taken back.",
        sql=_MOVEMENT
        + "((m.kind = 'payment' AND m.amount > 0) OR (m.kind = 'penalty' AND m.amount < 0))",
        detail=_MOVEMENT_SAYS,
        rules=(44,),
    ),
    Check(
        name="movement-twice",
        severity=Severity.WARNING,
        what="The same movement stands there twice.",
        why="A file that was read twice looks like this.",
        fix="Delete one, or confirm that there were two.",
        sql="""
            SELECT t.account_key, COALESCE(a.account, t.account) AS account,
                t.kind, t.amount AS amount_cents, t.posted_on, t.times
            FROM (
                SELECT account_key, MIN(account) AS account, kind, amount, posted_on,
                    COUNT(*) AS times
                FROM movement WHERE period = :period AND amount <> 0
                GROUP BY account_key, kind, amount, posted_on, service, description, usage
                HAVING COUNT(*) > 1
            ) t LEFT JOIN account a ON a.period = :period AND a.account_key = t.account_key""",
        detail=says("{times} times a {kind} of {amount_cents} on {posted_on}"),
    ),
    Check(
        name="large-adjustment",
        severity=Severity.WARNING,
        what="An adjustment is over the limit.",
        why="Large write-offs are seen by a second person.",
        fix="Let a supervisor confirm it.",
        sql=_MOVEMENT + "m.kind = 'adjustment' AND ABS(m.amount) > :adjustment_limit",
        detail=_MOVEMENT_SAYS,
    ),
    Check(
        name="opening-changed",
        severity=Severity.WARNING,
        what="The opening balance is not the closing balance of the period closed before.",
        why="Somebody changed a closed period.",
        fix="Look for the prior-period correction that explains it.",
        sql="""
            SELECT a.account_key, a.account,
                a.opening_balance AS opening_cents, p.closing_balance AS closed_cents
            FROM account a
            JOIN balance_due b ON b.account_key = a.account_key
            JOIN bill_run before ON before.period = b.period AND before.ends_on = :day_before
            JOIN account p ON p.period = b.period AND p.account_key = a.account_key
            WHERE a.period = :period AND a.opening_balance <> p.closing_balance AND NOT EXISTS (
                SELECT 1 FROM correction c WHERE c.period = b.period
                    AND c.account_key = a.account_key AND c.undone IS NULL
                    AND c.closing_balance = a.opening_balance)""",
        detail=says("opens with {opening_cents}, was closed with {closed_cents}"),
        rules=(1, 10),
    ),
    Check(
        name="account-vanished",
        severity=Severity.WARNING,
        what="An account that was closed with a balance is not in this export.",
        why="Its balance left the books without a movement. Accounts of a period of which this "
        "export has none are billed in a cycle of their own, whether it is named or not.",
        fix="Export the account, or confirm that its balance was settled.",
        sql="""
            WITH before AS (
                SELECT old.period, EXISTS (
                    SELECT 1 FROM account mine
                    JOIN balance_due last ON last.account_key = mine.account_key
                    WHERE mine.period = :period AND last.period = old.period) AS is_own
                FROM bill_run this
                JOIN bill_run old ON old.ends_on = :day_before AND old.cycle = this.cycle
                WHERE this.period = :period
            )
            SELECT p.account_key, p.account, p.closing_balance AS closed_cents
            FROM before
            JOIN balance_due b ON b.period = before.period
            JOIN account p ON p.period = b.period AND p.account_key = b.account_key
            LEFT JOIN account a ON a.period = :period AND a.account_key = p.account_key
            WHERE p.closing_balance <> 0 AND a.account_key IS NULL
                AND (before.is_own OR NOT EXISTS (SELECT 1 FROM before o WHERE o.is_own))""",
        detail=says("the period before ended with {closed_cents}; the account is gone"),
    ),
)
