"""Lists of what the data checks say, and of everything that needs a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from command_line.lists_outbox import waits
from database.debtors import unreachable_debtors
from database.left_out import payments_left_out
from database.tables import bounce, check_finding, check_result, delivery
from domain.deliveries import DeliveryStatus

Select = sa.Select[Any]


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
    from mail.unsubscriptions import UNSUBSCRIBED  # the list of checks needs no mail

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
