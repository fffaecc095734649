"""Checks of how the bills reach the customers."""

from __future__ import annotations

from data_checks.check import Check, says
from domain.checks import Severity

DELIVERY = (
    Check(
        name="ebill-no-email",
        severity=Severity.WARNING,
        what="A paperless account has no valid e-mail address.",
        why="The bill cannot be e-mailed; it is printed instead.",
        fix="Ask the customer for an address.",
        sql="""
            SELECT a.account_key, a.account FROM delivery_plan d
            JOIN account a ON a.period = d.period AND a.account_key = d.account_key
            LEFT JOIN (SELECT DISTINCT account_key FROM recipient WHERE period = :period) r
                ON r.account_key = d.account_key
            WHERE d.period = :period AND d.paperless AND a.status <> 'closed'
                AND r.account_key IS NULL
                AND COALESCE(d.paper, '') NOT IN
                    ('password-missing', 'ebill-too-large', 'ebill-bounced')""",
        detail=says("paperless without a valid address; goes on paper"),
        rules=(20, 23, 28),
    ),
    Check(
        name="ebill-bounced",
        severity=Severity.WARNING,
        what="Mails to an address of a paperless account came back earlier.",
        why="Nothing is sent there; where no other address is left, the bill is printed instead.",
        fix="Correct the address; if it is right after all, `billclose bounces lift ADDRESS`.",
        sql="""
            SELECT a.account_key, a.account,
                CASE WHEN d.paper = 'ebill-bounced' THEN 'none is left; goes on paper'
                    ELSE 'it is not written to' END AS outcome
            FROM delivery_plan d
            JOIN account a ON a.period = d.period AND a.account_key = d.account_key
            WHERE d.period = :period AND d.paperless AND a.status <> 'closed'
                AND (d.paper = 'ebill-bounced' OR d.account_key IN (
                    SELECT e.account_key FROM email_in_force e
                    JOIN suppressed_address s ON s.mailbox = LOWER(e.address)
                    WHERE e.period = :period AND e.fault IS NULL
                    UNION SELECT l.account_key FROM link_in_force l
                    JOIN suppressed_address s ON s.mailbox = l.mailbox
                    WHERE l.period = :period))""",
        detail=says("an address bounced earlier: {outcome}"),
        rules=(21, 22, 28),
    ),
    Check(
        name="email-invalid",
        severity=Severity.WARNING,
        what="An e-mail address of an account, its portal users or its landlord cannot be used.",
        why="The valid addresses are used; who relies on this one gets nothing.",
        fix="Correct the address; several are separated by a semicolon without spaces.",
        sql="""
            SELECT a.account_key, a.account, COUNT(*) AS addresses,
                SUM(CASE WHEN e.fault IS NULL THEN 0 ELSE 1 END) AS faulty
            FROM (
                SELECT account_key, fault FROM email_in_force WHERE period = :period
                UNION ALL SELECT account_key, fault FROM link_in_force WHERE period = :period
                UNION ALL SELECT h.account_key, l.fault FROM landlord_in_force l
                JOIN account h ON h.period = l.period AND h.cosigner_id = l.cosigner_id
                WHERE l.period = :period AND l.fault IS NOT NULL
            ) e
            JOIN account a ON a.period = :period AND a.account_key = e.account_key
            WHERE a.status <> 'closed'
            GROUP BY a.account_key, a.account
            HAVING SUM(CASE WHEN e.fault IS NULL THEN 0 ELSE 1 END) > 0""",
        detail=says("addresses that cannot be used: {faulty} of {addresses}"),
        rules=(21, 22),
    ),
    Check(
        name="mailing-address-changed",
        severity=Severity.WARNING,
        what="A mailing address changed after the export was written, and the bill goes on paper.",
        why="The page was made with the old address and would go there.",
        fix="Hold the bill back (`billclose outsort`), or put it into another envelope; the next "
        "export has the new address.",
        sql="""
            SELECT a.account_key, a.account FROM delivery_plan d
            JOIN account a ON a.period = d.period AND a.account_key = d.account_key
            JOIN account_now n ON n.period = d.period AND n.account_key = d.account_key
            WHERE d.period = :period AND d.paper IS NOT NULL
                AND (n.mailing_address <> a.mailing_address OR n.city <> a.city
                    OR n.state <> a.state OR n.zip <> a.zip)""",
        detail=says("moved since the export; the page shows the old address"),
        rules=(31,),
        before_yes=True,
    ),
    Check(
        name="neither-paper-nor-ebill",
        severity=Severity.WARNING,
        what="An account gets its bill neither on paper nor by e-mail.",
        why="The customer would not get it at all; it is printed instead.",
        fix="Ask the customer and set one of the two flags.",
        sql="""
            SELECT a.account_key, a.account FROM delivery_plan d
            JOIN account_now a ON a.period = d.period AND a.account_key = d.account_key
            WHERE d.period = :period AND NOT d.paperless AND NOT a.send_paper
                AND a.status <> 'closed'""",
        detail=says("neither paperless nor on paper; goes on paper"),
        rules=(31, 34),
    ),
)
