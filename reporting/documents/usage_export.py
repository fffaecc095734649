"""An account's usage records as an Excel file (rule 183)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from database.books import Database
from database.queries.portal.usage import ALL, UsageRecord, UsageWish, usage_records

MOST = 1_000  # records of an export
COLUMNS = (("Date", 12), ("Period", 10), ("Service", 18), ("Description", 40), ("Usage", 12),
           ("Amount", 12), ("Unit", 10))  # fmt: skip
PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def read_usage(
    database: Database, account_key: str, most: int = MOST, wish: UsageWish = ALL
) -> tuple[UsageRecord, ...]:
    """Return the newest usage records of an account that are asked for, over all closed periods."""
    with database.reading() as books:
        return tuple(usage_records(books, [account_key], wish, most=most))


def to_workbook(records: Sequence[UsageRecord], account: str) -> bytes:
    """
    Return an Excel file of usage records; what looks like a formula or a link stays text.

    The account's number is its title: no name and no address, as files are passed on.
    """
    import xlsxwriter  # it takes long to load

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, **PLAIN}) as book:
        sheet = book.add_worksheet("Usage")
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        dollars = book.add_format({"num_format": "#,##0.00"})
        sheet.set_header(f"&LUsage records of account {account.replace('&', '&&')}")
        for column, (heading, width) in enumerate(COLUMNS):
            sheet.write_string(0, column, heading, bold)
            sheet.set_column(column, column, width)
        for line, record in enumerate(records, start=1):
            sheet.write_datetime(line, 0, record.posted_on, day)
            for column, text in enumerate((record.period, record.service, record.description), 1):
                sheet.write_string(line, column, text)
            sheet.write_number(line, 4, record.usage)
            sheet.write_number(line, 5, record.amount.cents / 100, dollars)  # Excel has no other
            sheet.write_string(line, 6, record.unit)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(records), 1), len(COLUMNS) - 1)
    return content.getvalue()
