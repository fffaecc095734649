"""Lists of bills: those of the periods, and those on paper."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.queries.bills import is_doubled
from database.queries.corrections import due_on_in_force, is_of_account, standing_corrections
from database.queries.outsorted import is_outsorted
from database.tables import (
    account,
    bill,
    bill_run,
    check_result,
    paper,
    period_close,
    print_batch,
)
from domain.periods import NOTICE

Select = sa.Select[Any]


def bills() -> Select:
    """
    Select the bills of closed periods (rules 2, 11-13).

    One is visible where it is its account's only one of that form (of two, a person must say
    which counts) and nobody holds it back.
    """
    single = ~is_doubled()
    corrected = standing_corrections()
    held = is_outsorted(bill.c.period, bill.c.account_key)
    is_notice = bill.c.form.endswith(NOTICE)
    return (
        sa.select(
            sa.func.coalesce(account.c.account, bill.c.account).label("account"),
            bill.c.period.label("period"),
            bill.c.form,
            sa.type_coerce(
                sa.case(
                    (is_notice, bill.c.printed_amount_due),
                    else_=sa.func.coalesce(
                        corrected.c.amount_due, account.c.amount_due, bill.c.printed_amount_due
                    ),
                ),
                account.c.amount_due.type,
            ).label("amount_due"),
            due_on_in_force(corrected, bill.c.period, bill.c.account_key).label("due_date"),
            bill.c.pages,
            bill.c.pdf,
            bill.c.sha256,
            sa.and_(
                period_close.c.period.is_not(None), account.c.account.is_not(None), single, ~held
            ).label("visible"),
            (bill.c.edition > 0).label("corrected"),
            bill.c.account_key.label("_account_key"),
        )
        .join(bill_run, bill_run.c.period == bill.c.period)
        .outerjoin(
            corrected, sa.and_(is_of_account(corrected, bill), corrected.c.form == bill.c.form)
        )
        .outerjoin(
            account,
            sa.and_(account.c.period == bill.c.period, account.c.account_key == bill.c.account_key),
        )
        .outerjoin(period_close, period_close.c.period == bill.c.period)
    )


def paper_bills() -> Select:
    return sa.select(
        paper.c.account,
        paper.c.period.label("period"),
        paper.c.pages,
        paper.c.reason,
        paper.c.form,
        paper.c.part,
        paper.c.sequence,
        paper.c.account_key.label("_account_key"),
    )


def print_batches() -> Select:
    """Every print file with who has it for the printer."""
    row = print_batch.c
    return sa.select(
        row.period.label("period"),
        row.part,
        row.form,
        row.file,
        row.bills,
        row.pages,
        row.sheets,
        row.envelopes,
        row.written_at,
        row.fetched_at,
        row.fetched_by,
    )


def checks() -> Select:
    return sa.select(
        check_result.c.check_name.label("check"),
        check_result.c.severity,
        check_result.c.status,
        check_result.c.failed,
        check_result.c.period.label("period"),
        check_result.c.what,
        check_result.c.fix,
        check_result.c.position.label("_position"),
    )
