"""Checks at the boundary of an export: our money and the feed's that it should contain."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

_FOUND = """
    SELECT f.account_key, a.account, f.happened_on, f.amount AS amount_cents,
        f.booked AS booked_cents, f.reference, f.reason, f.blocks
    FROM boundary_finding f
    JOIN account a ON a.period = f.period AND a.account_key = f.account_key
    WHERE f.period = :period AND f.code = """
_NAMED = """
    SELECT m.account_key, COALESCE(a.account, m.account) AS account, m.posted_on,
        m.amount AS amount_cents, m.reference, {more}
    FROM movement m
    LEFT JOIN account a ON a.period = m.period AND a.account_key = m.account_key
    {join}
    WHERE m.period = :period AND m.reference <> '' AND """

BOUNDARY = (
    Check(
        name="payments-not-in-export",
        severity=Severity.WARNING,
        what="Money that we took or gave back is not in the export.",
        why="It is carried over, so nobody is asked twice; but the billing system may not know it.",
        fix="Let it be where it moved after the export was written; else post it, or ask there.",
        sql=_FOUND + "'payments-not-in-export'",
        detail=says("{amount_cents} of {happened_on} under {reference}: {reason}"),
        rules=(39, 84, 87),
        may_block=True,
    ),
    Check(
        name="booked-otherwise",
        severity=Severity.WARNING,
        what="The billing system booked another amount under our number.",
        why="Its balance and the customer's payment differ.",
        fix="Correct it there; with us it counts as booked.",
        sql=_FOUND + "'booked-otherwise'",
        detail=says("{amount_cents} of {happened_on} under {reference}, booked {booked_cents}"),
        rules=(84,),
    ),
    Check(
        name="booked-twice",
        severity=Severity.WARNING,
        what="Our number stands in several lines that are more than we moved.",
        why="A payment that was booked twice makes the balance too low.",
        fix="Let one of them be taken out there.",
        sql="""
            SELECT n.account_key, n.account, n.reference, n.times, n.booked AS booked_cents,
                n.ours AS ours_cents
            FROM (
                SELECT this.account_key, this.account, this.reference,
                    COUNT(*) AS times, SUM(l.amount) AS booked, MIN(this.ours) AS ours
                FROM (
                    SELECT m.account_key, MIN(m.account) AS account, m.reference,
                        (SELECT SUM(e.amount) FROM balance_entry e
                         WHERE e.reference = m.reference AND e.account_key = m.account_key
                             AND e.source <> 'feed' AND e.amount < 0) AS ours
                    FROM movement m
                    WHERE m.period = :period AND m.reference <> '' AND m.amount < 0
                    GROUP BY m.account_key, m.reference
                ) this
                JOIN movement l ON l.account_key = this.account_key
                    AND l.reference = this.reference AND l.amount < 0
                    AND (l.period = :period OR l.period IN (SELECT period FROM period_close))
                WHERE this.ours IS NOT NULL
                GROUP BY this.account_key, this.account, this.reference
                HAVING COUNT(*) > 1
            ) n WHERE n.booked < n.ours""",
        detail=says("{reference} in {times} lines, together {booked_cents}; ours: {ours_cents}"),
        rules=(84,),
    ),
    Check(
        name="booked-on-other-account",
        severity=Severity.WARNING,
        what="The number of a payment of ours stands on another account.",
        why="Somebody else's balance was lowered by it; ours stays counted where it was paid.",
        fix="Let it be booked on the right account there.",
        sql=_NAMED.format(
            more="e.account_key AS paid_key",
            join="JOIN balance_entry e ON e.reference = m.reference AND e.source <> 'feed' "
            "AND e.kind = 'payment'",
        )
        + """m.amount < 0 AND e.account_key <> m.account_key
            AND NOT EXISTS (SELECT 1 FROM balance_entry own WHERE own.reference = m.reference
                AND own.account_key = m.account_key AND own.source <> 'feed')""",
        detail=says("{amount_cents} under {reference}, which was paid on {paid_key}"),
        rules=(84,),
    ),
    Check(
        name="claims-ours",
        severity=Severity.WARNING,
        what="A line has the number of a payment of ours that never took any money.",
        why="The balance was lowered by money that nobody has.",
        fix="Let the line be taken out there.",
        sql=_NAMED.format(more="d.state", join="JOIN draw d ON d.reference = m.reference")
        + """d.state IN ('created', 'declined', 'abandoned')
            AND NOT EXISTS (SELECT 1 FROM balance_entry e WHERE e.reference = m.reference)""",
        detail=says("{amount_cents} of {posted_on} under {reference}, which is {state}"),
        rules=(84,),
    ),
    Check(
        name="movements-not-in-export",
        severity=Severity.WARNING,
        what="A movement that the billing system told of is not in its export.",
        why="It was deleted there, or the export is not whole; its closing balance is taken, and "
        "whose payment it lost is asked for it again.",
        fix="Ask whether it was deleted on purpose.",
        sql="""
            SELECT e.account_key, a.account, e.happened_on, e.amount AS amount_cents
            FROM balance_entry e
            JOIN account a ON a.period = :period AND a.account_key = e.account_key
            JOIN bill_run r ON r.period = a.period
            JOIN balance_due b ON b.account_key = e.account_key
            LEFT JOIN bill_run base ON base.period = b.period
            WHERE e.in_export_of IS NULL AND e.counts
                AND e.told_at <= r.sure_until
                AND (base.sure_until IS NULL OR e.told_at > base.sure_until)
                AND a.status <> 'closed' AND a.equal_pay_amount IS NULL
                AND (e.source = 'feed' AND NOT EXISTS (
                    SELECT 1 FROM movement m WHERE m.period = :period
                        AND m.account_key = e.account_key AND m.amount = e.amount
                        AND (m.posted_on = e.happened_on OR m.reference = e.reference))
                OR e.source <> 'feed' AND e.amount < 0
                AND NOT EXISTS (
                    SELECT 1 FROM balance_entry back WHERE back.account_key = e.account_key
                        AND back.payment_key = e.payment_key AND back.amount > 0)
                AND NOT EXISTS (
                    SELECT 1 FROM movement m WHERE m.period = :period
                        AND m.account_key = e.account_key AND m.kind <> 'billing'
                        AND (m.amount = e.amount OR m.reference = e.reference
                            OR m.reference IN (
                                SELECT p.receipt FROM posting p WHERE p.entry_key = e.key)))
                AND e.amount < (
                    SELECT COALESCE(SUM(m.amount), 0) FROM movement m WHERE m.period = :period
                        AND m.account_key = e.account_key AND m.amount < 0
                        AND m.kind = 'payment' AND m.reference = ''))""",
        detail=says("{amount_cents} of {happened_on}"),
    ),
    Check(
        name="feed-incomplete",
        severity=Severity.WARNING,
        what="Lines of the export came in no file of the feed.",
        why="Between two closes customers were asked for more than they owed.",
        fix="Find out which files got lost, or why some movements are not told.",
        sql="""
            SELECT '' AS account_key, '' AS account, n.times, n.total AS total_cents
            FROM (
                SELECT COUNT(*) AS times, COALESCE(SUM(m.amount), 0) AS total
                FROM movement m
                JOIN bill_run r ON r.period = m.period
                JOIN balance_due b ON b.account_key = m.account_key
                JOIN bill_run base ON base.period = b.period AND base.ends_on < r.ends_on
                WHERE m.period = :period AND m.kind <> 'billing' AND m.posted_on > base.ends_on
                    AND EXISTS (SELECT 1 FROM feed_file f WHERE f.received_at < r.imported_at)
                    AND NOT EXISTS (
                        SELECT 1 FROM balance_entry e WHERE e.account_key = m.account_key
                            AND (e.reference = m.reference
                                OR (e.amount = m.amount AND e.happened_on = m.posted_on)
                                OR (e.source <> 'feed' AND e.amount = m.amount
                                    AND e.happened_on <= m.posted_on)))
            ) n WHERE n.times > 0""",
        detail=says("{times} lines, in sum {total_cents}"),
    ),
    Check(
        name="references-missing",
        severity=Severity.WARNING,
        what="The payments of the export have no receipt or confirmation numbers.",
        why="Whether ours are among them is told by amount and day alone, which may be wrong.",
        fix="Let the billing system write the column reference.",
        sql="""
            SELECT '' AS account_key, '' AS account, n.times
            FROM (SELECT COUNT(*) AS times, MAX(reference) AS newest FROM movement
                WHERE period = :period AND kind = 'payment') n
            WHERE n.times > 0 AND n.newest = ''
                AND EXISTS (SELECT 1 FROM posting WHERE state = 'posted')""",
        detail=says("{times} payments, none with a number"),
    ),
    Check(
        name="equal-pay-behind",
        severity=Severity.WARNING,
        what="The balance of an equal-pay account is above twice what it pays a month.",
        why="An agreed amount shows no arrears: nobody asks for them.",
        fix="Agree on another amount, or on how the rest is paid.",
        sql="""
            SELECT account_key, account, closing_balance AS closing_cents,
                equal_pay_amount AS agreed_cents
            FROM account
            WHERE period = :period AND status = 'active' AND equal_pay_amount > 0
                AND closing_balance > 2 * equal_pay_amount""",
        detail=says("balance {closing_cents}, agreed {agreed_cents}"),
        rules=(41,),
    ),
)
