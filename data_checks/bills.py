"""Checks of the bills that were found on the pages."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

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
            LEFT JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND a.account_key IS NULL
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
            LEFT JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND b.ordinal > 1
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
            SELECT a.account_key, a.account, m.amount AS billed_cents
            FROM account a
            JOIN (
                SELECT account_key, SUM(amount) AS amount FROM movement
                WHERE run = :run AND kind = 'billing' GROUP BY account_key
            ) m ON m.account_key = a.account_key
            LEFT JOIN (
                SELECT DISTINCT account_key FROM bill
                WHERE run = :run AND form NOT LIKE '%-notice'
            ) b ON b.account_key = a.account_key
            WHERE a.run = :run AND a.status <> 'closed' AND b.account_key IS NULL""",
        detail=says("{billed_cents} billed, and no bill found"),
        rules=(11, 12),
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
            JOIN bulk_file f ON f.run = b.run AND f.bulk = b.bulk
            JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND b.form NOT LIKE '%-notice'
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
            JOIN bill_run r ON r.run = b.run
            JOIN bulk_file f ON f.run = b.run AND f.bulk = b.bulk
            JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND b.form NOT LIKE '%-notice'
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
            JOIN account a ON a.run = b.run AND a.account_key = b.account_key
            WHERE b.run = :run AND b.form NOT LIKE '%-notice' AND a.amount_due < 0""",
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
                WHERE run = :run AND kind = 'billing' GROUP BY account_key
            ) m ON m.account_key = a.account_key
            LEFT JOIN (
                SELECT account_key, COUNT(*) AS bills FROM bill
                WHERE run = :run AND form NOT LIKE '%-notice' GROUP BY account_key
            ) b ON b.account_key = a.account_key
            WHERE a.run = :run AND a.status = 'closed'
                AND (m.account_key IS NOT NULL OR b.account_key IS NOT NULL)""",
        detail=says("closed; charges: {charges}, bills: {bills}"),
    ),
)
