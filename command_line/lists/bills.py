"""Lists of bills: those of the periods, and those on paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from command_line.lists.mail import waits
from database.queries.autopay import payments_left_out
from database.queries.bills import is_doubled
from database.queries.debtors import unreachable_debtors
from database.tables import (
    account,
    bill,
    bill_run,
    bounce,
    check_finding,
    check_result,
    delivery,
    paper,
    period_close,
)
from domain.deliveries import DeliveryStatus
from domain.periods import NOTICE

Select = sa.Select[Any]


def bills() -> Select:
    """
    Select the bills of closed periods (rules 2, 11-13).

    One is visible where it is its account's only one of that form: of two, a person must say
    which counts.
    """
    single = ~is_doubled()
    is_notice = bill.c.form.endswith(NOTICE)
    return (
        sa.select(
            sa.func.coalesce(account.c.account, bill.c.account).label("account"),
            bill.c.run.label("period"),
            bill.c.form,
            sa.type_coerce(
                sa.case(
                    (is_notice, bill.c.printed_amount_due),
                    else_=sa.func.coalesce(account.c.amount_due, bill.c.printed_amount_due),
                ),
                account.c.amount_due.type,
            ).label("amount_due"),
            bill_run.c.due_on.label("due_date"),
            bill.c.pages,
            bill.c.pdf,
            bill.c.sha256,
            sa.and_(period_close.c.run.is_not(None), account.c.account.is_not(None), single).label(
                "visible"
            ),
            bill.c.account_key.label("_account_key"),
        )
        .join(bill_run, bill_run.c.run == bill.c.run)
        .outerjoin(
            account,
            sa.and_(account.c.run == bill.c.run, account.c.account_key == bill.c.account_key),
        )
        .outerjoin(period_close, period_close.c.run == bill.c.run)
    )


def paper_bills() -> Select:
    return sa.select(
        paper.c.account,
        paper.c.run.label("period"),
        paper.c.pages,
        paper.c.reason,
        paper.c.form,
        paper.c.part,
        paper.c.sequence,
        paper.c.account_key.label("_account_key"),
    )


def checks() -> Select:
    return sa.select(
        check_result.c.check_name.label("check"),
        check_result.c.severity,
        check_result.c.status,
        check_result.c.failed,
        check_result.c.run.label("period"),
        check_result.c.what,
        check_result.c.fix,
        check_result.c.position.label("_position"),
    )


def exceptions(further: Iterable[Select] = ()) -> Select:
    """
    Select what needs a person: findings, mails that did not arrive, who cannot be reminded.

    `further` are what the books alone do not tell, but only with the office's settings and clock.
    """
    from mail.recipients.unsubscribed import UNSUBSCRIBED

    found = sa.select(
        check_finding.c.account,
        sa.literal("check").label("stage"),
        check_finding.c.check_name.label("code"),
        check_finding.c.detail.label("message"),
        check_finding.c.run.label("period"),
        check_finding.c.account_key.label("_account_key"),
        check_result.c.position.label("_position"),
    ).join(
        check_result,
        sa.and_(
            check_result.c.run == check_finding.c.run,
            check_result.c.check_name == check_finding.c.check_name,
        ),
    )
    unsent = sa.select(
        delivery.c.account,
        sa.literal("mail").label("stage"),
        sa.case(
            (delivery.c.error.like("bounced: 5.7.%"), "mail-policy"),
            (delivery.c.bounced_at.is_not(None), "mail-bounced"),
            else_=sa.literal("mail-").concat(sa.cast(delivery.c.status, sa.String)),
        ).label("code"),
        sa.func.coalesce(delivery.c.error, "").label("message"),
        delivery.c.run.label("period"),
        delivery.c.account_key.label("_account_key"),
        sa.literal(0).label("_position"),
    ).where(
        delivery.c.status.in_(
            (DeliveryStatus.FAILED, DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT)
        ),
        delivery.c.error.is_distinct_from(UNSUBSCRIBED),  # its owner's wish: nothing to do
    )
    unknown = (
        sa.select(
            sa.func.coalesce(delivery.c.account, "").label("account"),
            sa.literal("mail").label("stage"),
            sa.literal("bounce-unknown").label("code"),
            bounce.c.diagnostic.label("message"),
            delivery.c.run.label("period"),
            sa.func.coalesce(delivery.c.account_key, "").label("_account_key"),
            sa.literal(1).label("_position"),
        )
        .outerjoin_from(bounce, delivery, delivery.c.key == bounce.c.delivery_key)
        .where(waits())
    )
    left = (unreachable_debtors(), payments_left_out(), *further)
    return sa.select(found.union_all(unsent, unknown, *left).subquery())
