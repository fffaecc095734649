"""Checks of the files themselves: rows that cannot be read, pages that belong to nobody."""

from __future__ import annotations

from data_checks.check import Check, Row, says
from domain.checks import Severity

_PROBLEM = """
    SELECT '' AS account_key, account, code, message
    FROM problem WHERE period = :period AND """
_OWN = "'unreadable-row', 'account-duplicate', 'sensitive-data', 'bill-copy', 'bill-not-tagged'"
_PROBLEM_SAYS = says("{message}")


def _say_unassigned(row: Row) -> str:
    found = f"{row['file']}, page {row['page_number']}: {row['reason']}"
    return f"{found} It seems to be of {row['also']}." if row["also"] else found


FILES = (
    Check(
        name="unreadable-row",
        severity=Severity.BLOCKING,
        what="A row of the export cannot be read.",
        why="A row that is left out is a customer or an amount that is missing everywhere after.",
        fix="Correct the row in the billing system and export again.",
        sql=_PROBLEM + "code = 'unreadable-row'",
        detail=_PROBLEM_SAYS,
    ),
    Check(
        name="account-duplicate",
        severity=Severity.BLOCKING,
        what="An account stands twice in accounts.csv.",
        why="One customer would be billed, written to or charged twice; dashes and periods do not "
        "make another account.",
        fix="Delete or renumber one of the two in the billing system and export again.",
        sql=_PROBLEM + "code = 'account-duplicate'",
        detail=_PROBLEM_SAYS,
        rules=(124,),
    ),
    Check(
        name="sensitive-data",
        severity=Severity.BLOCKING,
        what="A value looks like a card or bank number.",
        why="We hold tokens only; a number that is stored here is a breach waiting for its day.",
        fix="Replace the number by the gateway's token, and find out how it came into the export.",
        sql=_PROBLEM + "code = 'sensitive-data'",
        detail=_PROBLEM_SAYS,
    ),
    Check(
        name="page-unassigned",
        severity=Severity.BLOCKING,
        what="A page of a bulk file belongs to no bill.",
        why="It is part of somebody's bill, who would get it incomplete or not at all.",
        fix="See it with `billclose pages`, and give it to its account or set it aside; where many "
        "are like it, correct the patterns in bundle.toml.",
        sql="""
            SELECT p.account_key, COALESCE(a.account, p.account_key) AS account,
                p.seems_key AS also_key, COALESCE(s.account, p.seems_key) AS also,
                f.file, p.page + 1 AS page_number, p.reason
            FROM page p
            JOIN bulk_file f ON f.period = p.period AND f.bulk = p.bulk
            LEFT JOIN account a ON a.period = p.period AND a.account_key = p.account_key
            LEFT JOIN account s ON s.period = p.period AND s.account_key = p.seems_key
            WHERE p.period = :period AND p.disposition = 'unassigned'""",
        detail=_say_unassigned,
        rules=(11,),
    ),
    Check(
        name="bill-copy",
        severity=Severity.BLOCKING,
        what="A bill cut out of its bulk file does not show what its pages show.",
        why="It was not filed, and its customer would get no bill or a broken one.",
        fix="Print the bulk file again; if it stays so, call support with the file.",
        sql=_PROBLEM + "code = 'bill-copy'",
        detail=_PROBLEM_SAYS,
        rules=(11,),
    ),
    Check(
        name="page-total",
        severity=Severity.BLOCKING,
        what="The bills of a bulk file do not have as many pages as were assigned to bills.",
        why="A page was lost or used twice: one customer would see another's page.",
        fix="Split the bulk file again; if it stays so, call support with the file.",
        sql="""
            SELECT '' AS account_key, '' AS account,
                f.file, COALESCE(p.pages, 0) AS assigned, COALESCE(b.pages, 0) AS billed
            FROM bulk_file f
            LEFT JOIN (
                SELECT bulk, COUNT(*) AS pages FROM page
                WHERE period = :period AND disposition = 'bill' GROUP BY bulk
            ) p ON p.bulk = f.bulk
            LEFT JOIN (
                SELECT bulk, SUM(pages) AS pages FROM bill WHERE period = :period GROUP BY bulk
            ) b ON b.bulk = f.bulk
            WHERE f.period = :period AND COALESCE(p.pages, 0) <> COALESCE(b.pages, 0)""",
        detail=says("{file}: {assigned} pages were assigned to bills, the bills have {billed}"),
        rules=(11,),
    ),
    Check(
        name="page-read-by-ocr",
        severity=Severity.WARNING,
        what="A page of a bill is only a picture and was read by OCR.",
        why="OCR may misread a digit, and a bill that goes to the wrong customer is no secret any "
        "more.",
        fix="Compare the account and the amount on the page with the bill it was put into.",
        sql="""
            SELECT p.account_key, COALESCE(a.account, p.account_key) AS account,
                f.file, p.page + 1 AS page_number
            FROM page p
            JOIN bulk_file f ON f.period = p.period AND f.bulk = p.bulk
            LEFT JOIN account a ON a.period = p.period AND a.account_key = p.account_key
            WHERE p.period = :period AND p.disposition = 'bill'
                AND p.reason = 'It was read by OCR.'""",
        detail=says("{file}, page {page_number} was read by OCR"),
        rules=(11,),
    ),
    Check(
        name="page-doubted",
        severity=Severity.BLOCKING,
        what="A page is in a bill though something speaks against it.",
        why="Doubts are only reported in this office so far; a page may be another customer's.",
        fix="Look at each such page with `billclose pages show`; then set splitter.doubted_pages "
        "to hold.",
        sql="""
            SELECT p.account_key, COALESCE(a.account, p.account_key) AS account,
                p.seems_key AS also_key, COALESCE(s.account, p.seems_key) AS also,
                f.file, p.page + 1 AS page_number, p.reason
            FROM page p
            JOIN bulk_file f ON f.period = p.period AND f.bulk = p.bulk
            LEFT JOIN account a ON a.period = p.period AND a.account_key = p.account_key
            LEFT JOIN account s ON s.period = p.period AND s.account_key = p.seems_key
            WHERE p.period = :period AND p.disposition = 'bill'
                AND p.reason NOT IN ('', 'It was read by OCR.')""",
        detail=_say_unassigned,
        rules=(11,),
    ),
    Check(
        name="bulk-file-empty",
        severity=Severity.WARNING,
        what="A bulk file holds no bill.",
        why="The wrong file, or a pattern that finds nothing, looks like this.",
        fix="Open the file; where it is right that it has no bill, go on.",
        sql="""
            SELECT '' AS account_key, '' AS account, f.file, f.form
            FROM bulk_file f
            LEFT JOIN (SELECT DISTINCT bulk FROM bill WHERE period = :period) b ON b.bulk = f.bulk
            WHERE f.period = :period AND b.bulk IS NULL""",
        detail=says("{file} ({form}) holds no bill"),
        rules=(11,),
    ),
    Check(
        name="bill-not-tagged",
        severity=Severity.WARNING,
        what="Bills go out without the tags by which screen readers read them.",
        why="Who cannot see hears such a bill without headings, table or order; what a public body "
        "shows on its site must be readable by all, from April 2027 or 2028 on.",
        fix="Ask the billing system's vendor for tagged PDF (PDF/UA). Until then the bill's page "
        "in the portal shows the same to everybody; give whoever asks the bill in a form that "
        "works for them.",
        sql=_PROBLEM + "code = 'bill-not-tagged'",
        detail=_PROBLEM_SAYS,
    ),
    Check(
        name="problem-other",
        severity=Severity.WARNING,
        what="The import reported something that has no check of its own.",
        why="What the import noticed should be read by a person, whatever it is.",
        fix="Read the message and decide.",
        sql=_PROBLEM + f"code NOT IN ({_OWN})",
        detail=says("{code}: {message}"),
    ),
)
