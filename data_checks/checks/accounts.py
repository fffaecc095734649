"""Checks of the accounts and what refers to them."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

ACCOUNTS = (
    Check(
        name="account-number-blank",
        severity=Severity.BLOCKING,
        what="An account has a number without letters or digits.",
        why="Bills, movements and payments find their account by its number.",
        fix="Give the account its number in the billing system and export again.",
        sql="""
            SELECT account_key, account FROM account
            WHERE period = :period AND account_key = ''""",
        detail=says("the number is written '{account}'"),
        rules=(124,),
    ),
    Check(
        name="closed-account-balance",
        severity=Severity.WARNING,
        what="A closed account has a balance.",
        why="A final bill or a refund is outstanding, and nobody writes to closed accounts.",
        fix="Collect it, refund it or write it off.",
        sql="""
            SELECT account_key, account, closing_balance AS closing_cents FROM account
            WHERE period = :period AND status = 'closed' AND closing_balance <> 0""",
        detail=says("closed with a balance of {closing_cents}"),
    ),
    Check(
        name="active-without-charges",
        severity=Severity.WARNING,
        what="An active account has no charge in this period.",
        why="Service without billing is revenue nobody misses until the audit.",
        fix="Bill the account or set its status.",
        sql="""
            SELECT a.account_key, a.account FROM account a
            LEFT JOIN (
                SELECT DISTINCT account_key FROM movement
                WHERE period = :period AND kind = 'billing'
            ) m ON m.account_key = a.account_key
            WHERE a.period = :period AND a.status = 'active' AND m.account_key IS NULL""",
        detail=says("active, and nothing was billed"),
    ),
    Check(
        name="email-shared",
        severity=Severity.WARNING,
        what="Customers of different names have the same e-mail address.",
        why="Often a typing mistake, and then one customer reads another's bill.",
        fix="Ask the customers; where it is meant (one household, one manager), go on.",
        sql="""
            WITH written AS (
                SELECT e.account_key, a.account, LOWER(a.last_name) AS last_name,
                    LOWER(e.address) AS mailbox
                FROM email_in_force e
                JOIN account a ON a.period = e.period AND a.account_key = e.account_key
                WHERE e.period = :period AND e.fault IS NULL AND a.status <> 'closed'
            ), shared AS (
                SELECT mailbox, COUNT(DISTINCT account_key) AS accounts FROM written
                GROUP BY mailbox HAVING COUNT(DISTINCT last_name) > 1
            )
            SELECT w.account_key, w.account, MAX(s.accounts) AS accounts
            FROM written w JOIN shared s ON s.mailbox = w.mailbox
            GROUP BY w.account_key, w.account""",
        detail=says("an address of this account stands on {accounts} accounts"),
        rules=(21, 22),
    ),
    Check(
        name="cosigner-unknown",
        severity=Severity.WARNING,
        what="An account names a cosigner who is not in cosigners.csv.",
        why="The landlord will not get the copies that belong to a landlord.",
        fix="Add the cosigner or correct the account's cosigner.",
        sql="""
            SELECT a.account_key, a.account, a.cosigner_id FROM account a
            LEFT JOIN cosigner c ON c.period = a.period AND c.cosigner_id = a.cosigner_id
            WHERE a.period = :period AND a.cosigner_id <> '' AND c.cosigner_id IS NULL""",
        detail=says("cosigner {cosigner_id} is unknown"),
        rules=(29,),
    ),
    Check(
        name="link-unknown-account",
        severity=Severity.WARNING,
        what="A portal user is linked to an account that is not in accounts.csv.",
        why="That user expects bills which will never come.",
        fix="Correct the account's number in portal_links.csv or unlink the user.",
        sql="""
            SELECT l.account_key, l.account_key AS account, COUNT(*) AS links
            FROM portal_link l
            LEFT JOIN account a ON a.period = l.period AND a.account_key = l.account_key
            WHERE l.period = :period AND a.account_key IS NULL
            GROUP BY l.account_key""",
        detail=says("an unknown account; portal links to it: {links}"),
        rules=(24,),
    ),
    Check(
        name="link-unknown-user",
        severity=Severity.WARNING,
        what="An account is linked to a portal user whom neither portal_users.csv nor the portal "
        "knows.",
        why="The bill is e-mailed to an address at which nobody is registered, and where that is "
        "the only one it is not printed either.",
        fix="Find the account in portal_links.csv; add the user to portal_users.csv, or unlink "
        "them.",
        sql="""
            SELECT a.account_key, a.account, COUNT(*) AS users FROM portal_link l
            JOIN account a ON a.period = l.period AND a.account_key = l.account_key
            LEFT JOIN portal_user u ON u.period = l.period AND u.mailbox = l.mailbox
            LEFT JOIN web_user w ON w.mailbox = l.mailbox
            WHERE l.period = :period AND a.status <> 'closed' AND l.fault IS NULL
                AND u.mailbox IS NULL AND w.mailbox IS NULL
            GROUP BY a.account_key, a.account""",
        detail=says("linked portal users who are in no list of users: {users}"),
        rules=(24,),
    ),
)
