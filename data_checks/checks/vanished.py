"""Checks of what customers had at their last close and do not have any more."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

# Each account with the last period of its own that was closed; cycles have different ones.
_BEFORE = """
            last_end AS (
                SELECT a.account_key, a.account, MAX(r.ends_on) AS ends_on
                FROM account a
                JOIN account o ON o.account_key = a.account_key AND o.period <> a.period
                JOIN period_close c ON c.period = o.period
                JOIN bill_run r ON r.period = o.period
                WHERE a.period = :period AND a.status <> 'closed' AND r.starts_on < :starts_on
                GROUP BY a.account_key, a.account
            ), before AS (
                SELECT l.account_key, l.account, MAX(o.period) AS period
                FROM last_end l
                JOIN account o ON o.account_key = l.account_key
                JOIN period_close c ON c.period = o.period
                JOIN bill_run r ON r.period = o.period AND r.ends_on = l.ends_on
                WHERE o.period <> :period
                GROUP BY l.account_key, l.account
            )"""
_MANDATE = """EXISTS (
                SELECT 1 FROM mandate m
                WHERE m.period = {period} AND m.account_key = b.account_key{more}
            )"""
_LINK = """EXISTS (
                SELECT 1 FROM portal_link l
                WHERE l.period = {period} AND l.account_key = b.account_key
            )"""
_METHOD = """(EXISTS (
                SELECT 1 FROM portal_link l
                JOIN payment_method p ON p.period = l.period AND p.portal_user = l.mailbox
                WHERE l.period = {period} AND l.account_key = b.account_key
            ) OR EXISTS (
                SELECT 1 FROM mandate m
                JOIN payment_method p ON p.period = m.period AND p.token = m.method_token
                WHERE m.period = {period} AND m.account_key = b.account_key
            ))"""
_ACCOUNT = """EXISTS (
                SELECT 1 FROM account x
                WHERE x.period = {period} AND x.account_key = b.account_key AND {had}
            )"""


def _lost(kind: str, had: str, has: str) -> str:
    return f"""
                SELECT '{kind}' AS kind, b.account, CASE WHEN {has} THEN 0 ELSE 1 END AS lost
                FROM before b WHERE {had}"""


_THINGS = " UNION ALL ".join(
    (
        _lost(
            "an autopay mandate",
            _MANDATE.format(period="b.period", more=" AND m.active"),
            _MANDATE.format(period=":period", more=""),
        ),
        _lost("a portal link", _LINK.format(period="b.period"), _LINK.format(period=":period")),
        _lost(
            "a payment method", _METHOD.format(period="b.period"), _METHOD.format(period=":period")
        ),
        *(
            _lost(
                kind,
                *(_ACCOUNT.format(period=period, had=had) for period in ("b.period", ":period")),
            )
            for kind, had in (
                ("an e-mail address", "x.email <> ''"),
                ("an equal-pay amount", "x.equal_pay_amount IS NOT NULL"),
            )
        ),
    )
)

VANISHED = (
    Check(
        name="vanished",
        severity=Severity.WARNING,
        may_block=True,
        what="Many accounts lost at once what they had at their last close.",
        why="Hardly so many customers cancelled in a month: a file or column that is missing or "
        "named otherwise looks like this, and then nobody is drawn or everybody gets paper.",
        fix="Compare the file with that of the period before; where it is meant, as in the month "
        "in which all equal-pay accounts are settled, waive it. From which share on it blocks says "
        "the setting checks.vanished_blocking_share.",
        sql=f"""
            WITH {_BEFORE.strip()}, things AS ({_THINGS}
            )
            SELECT '' AS account_key, '' AS account, kind, COUNT(*) AS had, SUM(lost) AS lost,
                MIN(CASE WHEN lost = 1 THEN account END) AS example,
                CASE WHEN SUM(lost) > :vanished_blocking_share * COUNT(*)
                    AND SUM(lost) >= :vanished_fewest_blocking THEN 1 ELSE 0 END AS blocks
            FROM things GROUP BY kind
            HAVING SUM(lost) >= :vanished_fewest AND SUM(lost) >= :vanished_share * COUNT(*)""",
        detail=says("{lost} of {had} accounts that had {kind} have none now, such as {example}"),
    ),
)
