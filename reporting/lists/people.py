"""Lists of people and what is theirs: staff, customers, autopay enrollments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.identity import staff
from database.queries.corrections import (
    amount_due_in_force,
    is_of_account,
    standing_corrections,
)
from database.queries.mandates import mandates_in_force
from database.tables import account, balance_due, bill_run, period_close

Select = sa.Select[Any]


def members_of_staff() -> Select:
    return sa.select(
        staff.c.number,
        staff.c.address,
        staff.c.role,
        staff.c.state,
        staff.c.made_at,
        staff.c.made_by,
        staff.c.seen_at,
    )


def autopay_enrolled() -> Select:
    """Select who is enrolled in autopay as the newest closed period sees it (rules 60, 65, 82)."""
    newest = (
        sa.select(bill_run.c.period)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .order_by(bill_run.c.starts_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    agreed = mandates_in_force(newest)
    listed = sa.select(
        account.c.account,
        account.c.name,
        agreed.c.portal_user,
        agreed.c.method_kind.label("method"),
        agreed.c.last4,
        agreed.c.days_prior,
        agreed.c.maximum,
        agreed.c.enrolled_on,
        sa.case((agreed.c.enrollment_id.is_(None), "export"), else_="office").label("source"),
        agreed.c.account_key.label("_account_key"),
    )
    of_account = sa.and_(account.c.period == newest, account.c.account_key == agreed.c.account_key)
    return listed.select_from(agreed).join(account, of_account)


def customers() -> Select:
    """Select every account as its newest closed period has it, with what is owed now."""
    corrected = standing_corrections()
    query = sa.select(
        account.c.account,
        account.c.name,
        account.c.service_address,
        account.c.city,
        account.c.email,
        account.c.phone,
        account.c.status,
        sa.type_coerce(amount_due_in_force(corrected), account.c.amount_due.type).label(
            "amount_due"
        ),
        sa.type_coerce(
            balance_due.c.amount_due + balance_due.c.added - balance_due.c.paid,
            account.c.amount_due.type,
        ).label("balance"),
        account.c.period.label("period"),
        account.c.account_key.label("_account_key"),
    ).join(
        balance_due,
        sa.and_(
            balance_due.c.account_key == account.c.account_key,
            balance_due.c.period == account.c.period,
        ),
    )
    return query.outerjoin(corrected, is_of_account(corrected))
