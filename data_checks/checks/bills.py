"""Checks of the bills that were found on the pages."""

from __future__ import annotations

from data_checks.check import Check, Row, says, written
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
                LEFT JOIN account y ON y.period = :year_ago_run AND y.account_key = a.account_key
                WHERE a.period = :period AND a.status <> 'closed' AND a.amount_due > :amount_floor
            ), past AS (
                SELECT s.account_key, AVG(h.amount_due) AS amount_due
                FROM suspect s
                CROSS JOIN bill_run r
                JOIN period_close c ON c.period = r.period
                JOIN account h ON h.period = r.period AND h.account_key = s.account_key
                WHERE r.starts_on >= :history_from AND r.starts_on < :starts_on
                GROUP BY s.account_key
            ), ranked AS (
                SELECT amount_due, ROW_NUMBER() OVER (ORDER BY amount_due) AS place,
                    COUNT(*) OVER () AS number
                FROM account WHERE period = :period AND status <> 'closed' AND amount_due > 0
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
            WHERE period = :period AND status <> 'closed' AND amount_due > :large_bill""",
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
            LEFT JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.pages > :most_pages""",
        detail=says("{pages} pages"),
        rules=(11,),
    ),
)


def _say_missing(row: Row) -> str:
    said = f"{written('billed_cents', row['billed_cents'])} billed, and no bill found"
    if row["lost_page"] is not None:
        return (
            f"{said}; its number or name stands on page {row['lost_page']} of {row['file']},"
            " which belongs to nobody"
        )
    around = [row[end] for end in ("before_page", "after_page") if row[end] is not None]
    if not around:
        return said
    pages = f"pages {around[0]} and {around[1]}" if len(around) > 1 else f"page {around[0]}"
    return f"{said}; in the order of {row['file']} it would stand by {pages}"


def _say_beside_missing(row: Row) -> str:
    return f"its bill may have got a page of the one of {row['account']}, which is missing"


BILLS = (
    Check(
        name="bill-unknown-account",
        severity=Severity.BLOCKING,
        what="A bill names an account that is not in accounts.csv.",
        why="Nobody is there to get it, and some customer is missing one.",
        fix="Compare the number on the bill with the export.",
        sql="""
            SELECT b.account_key, MIN(b.account) AS account,
                COUNT(*) AS bills, MIN(b.first_page) + 1 AS page_number
            FROM bill b
            LEFT JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND a.account_key IS NULL
            GROUP BY b.account_key""",
        detail=says("an unknown account; bills: {bills}, the first on page {page_number}"),
        rules=(11,),
    ),
    Check(
        name="bill-duplicate",
        severity=Severity.BLOCKING,
        what="An account has more than one bill of the same form.",
        why="The customer gets two amounts to pay, and only one can be right.",
        fix="Find out which bill is right and print the bulk file again.",
        sql="""
            SELECT b.account_key, COALESCE(a.account, MIN(b.account)) AS account,
                COUNT(*) AS extra, MIN(b.first_page) + 1 AS page_number
            FROM bill b
            LEFT JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.ordinal > 1
            GROUP BY b.account_key, a.account""",
        detail=says("bills too many: {extra}, the first on page {page_number}"),
        rules=(11, 13),
    ),
    Check(
        name="bill-missing",
        severity=Severity.BLOCKING,
        what="An account was billed this period and has no bill.",
        why="The customer owes an amount nobody told, and will be late for it.",
        fix="Print the bill, or look for its page among the unassigned ones.",
        sql="""
            SELECT a.account_key, a.account, m.amount AS billed_cents,
                COALESCE(l.account_key, g.before_key, '') AS also_key,
                COALESCE(k.account, l.account_key, g.before_key, '') AS also,
                l.page + 1 AS lost_page, COALESCE(l.file, f.file) AS file,
                g.before_page + 1 AS before_page, g.after_page + 1 AS after_page
            FROM account a
            JOIN (
                SELECT account_key, SUM(amount) AS amount FROM movement
                WHERE period = :period AND kind = 'billing' GROUP BY account_key
            ) m ON m.account_key = a.account_key
            LEFT JOIN (
                SELECT DISTINCT account_key FROM bill
                WHERE period = :period AND form NOT LIKE '%-notice'
            ) b ON b.account_key = a.account_key
            LEFT JOIN (
                SELECT p.seems_key, p.account_key, p.page, bf.file, ROW_NUMBER() OVER (
                    PARTITION BY p.seems_key ORDER BY p.bulk, p.page
                ) AS place
                FROM page p
                JOIN bulk_file bf ON bf.period = p.period AND bf.bulk = p.bulk
                WHERE p.period = :period AND p.disposition = 'unassigned' AND p.seems_key <> ''
            ) l ON l.seems_key = a.account_key AND l.place = 1
            LEFT JOIN bill_place g ON g.period = a.period AND g.account_key = a.account_key
            LEFT JOIN bulk_file f ON f.period = g.period AND f.bulk = g.bulk
            LEFT JOIN account k
                ON k.period = a.period AND k.account_key = COALESCE(l.account_key, g.before_key)
            WHERE a.period = :period AND a.status <> 'closed' AND b.account_key IS NULL""",
        detail=_say_missing,
        also_detail=_say_beside_missing,
        rules=(11, 12),
    ),
    Check(
        name="bill-incomplete",
        severity=Severity.BLOCKING,
        what="A bill lacks a page that its page numbers tell of.",
        why="The customer gets half a bill, and the other half may lie in somebody else's.",
        fix="Look for the page among the unassigned ones, or print the bulk file again.",
        sql="""
            SELECT b.account_key, COALESCE(a.account, b.account) AS account,
                f.file, b.first_page + 1 AS page_number, b.lacks
            FROM bill b
            JOIN bulk_file f ON f.period = b.period AND f.bulk = b.bulk
            LEFT JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.lacks <> ''""",
        detail=says("the bill that begins on page {page_number} of {file}: {lacks}"),
        rules=(11,),
    ),
    Check(
        name="bill-amount",
        severity=Severity.BLOCKING,
        what="The amount on a bill is not the amount due.",
        why="The customer pays what the paper says; autopay draws what the books say.",
        fix="Find out which is right; print or export again.",
        sql="""
            SELECT a.account_key, a.account,
                b.printed_amount_due AS printed_cents, a.amount_due AS due_cents
            FROM bill b
            JOIN bulk_file f ON f.period = b.period AND f.bulk = b.bulk
            JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.form NOT LIKE '%-notice'
                AND COALESCE(f.amount_due_pattern, '') <> ''
                AND (b.printed_amount_due IS NULL OR b.printed_amount_due <> a.amount_due)""",
        detail=says("the bill shows {printed_cents}, the amount due is {due_cents}"),
        rules=(38, 41),
    ),
    Check(
        name="bill-due-date",
        severity=Severity.BLOCKING,
        what="The due date on a bill is not the period's due date.",
        why="Autopay, reminders and penalties count from the period's due date.",
        fix="Correct the due date in the billing system; print or export again.",
        sql="""
            SELECT a.account_key, a.account, b.printed_due_on, r.due_on
            FROM bill b
            JOIN bill_run r ON r.period = b.period
            JOIN bulk_file f ON f.period = b.period AND f.bulk = b.bulk
            JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.form NOT LIKE '%-notice'
                AND COALESCE(f.due_on_pattern, '') <> ''
                AND (b.printed_due_on IS NULL OR b.printed_due_on <> r.due_on)""",
        detail=says("the bill is due on {printed_due_on}, the period on {due_on}"),
        rules=(38, 49),
    ),
    Check(
        name="negative-bill",
        severity=Severity.WARNING,
        what="A bill has a negative amount due.",
        why="Nothing is to be paid; perhaps a refund is owed.",
        fix="Confirm the credit.",
        sql="""
            SELECT DISTINCT a.account_key, a.account, a.amount_due AS due_cents
            FROM bill b
            JOIN account a ON a.period = b.period AND a.account_key = b.account_key
            WHERE b.period = :period AND b.form NOT LIKE '%-notice' AND a.amount_due < 0""",
        detail=says("the amount due is {due_cents}"),
    ),
    Check(
        name="closed-account-billed",
        severity=Severity.WARNING,
        what="A closed account has a bill or a charge.",
        why="A closed account is not billed; its bill goes to nobody.",
        fix="Set the account to final, or take the charge back.",
        sql="""
            SELECT a.account_key, a.account, COALESCE(m.charges, 0) AS charges,
                COALESCE(b.bills, 0) AS bills
            FROM account a
            LEFT JOIN (
                SELECT account_key, COUNT(*) AS charges FROM movement
                WHERE period = :period AND kind = 'billing' GROUP BY account_key
            ) m ON m.account_key = a.account_key
            LEFT JOIN (
                SELECT account_key, COUNT(*) AS bills FROM bill
                WHERE period = :period AND form NOT LIKE '%-notice' GROUP BY account_key
            ) b ON b.account_key = a.account_key
            WHERE a.period = :period AND a.status = 'closed'
                AND (m.account_key IS NOT NULL OR b.account_key IS NOT NULL)""",
        detail=says("closed; charges: {charges}, bills: {bills}"),
    ),
)
