"""The one list of exceptions: what needs a person, for the command, the report and the pack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from database.definitions.arrangements import arrangement
from database.feed.tables import customer_choice, feed_finding
from database.queries.autopay import payments_left_out
from database.queries.debtors import unreachable_debtors
from database.queries.outsorted import held_back
from database.tables import balance_due, bounce, check_finding, check_result, delivery
from domain.arrangements import ArrangementState
from domain.bounces import BounceKind
from domain.checks import Severity
from domain.deliveries import UNSUBSCRIBED, DeliveryStatus
from domain.feeds import ChoiceState

_PLAN = arrangement.c
UNSENT = (DeliveryStatus.FAILED, DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT)


def exceptions(further: Iterable[sa.Select[Any]] = (), period: str | None = None) -> sa.Select[Any]:
    """
    Select what needs a person: findings, mails that did not arrive, who cannot be reminded.

    Of one period or of all. `further` are what the books alone do not tell, but only with the
    office's settings and clock; their columns are named as those here.
    """
    selects = [
        *(
            _of(each, period)
            for each in (
                _findings(),
                held_back(),
                _unsent(),
                _unknown_bounces(),
                _of_the_feed(),
                _refused(),
                _broken_plans(),
                _waiting_plans(),
            )
        ),
        unreachable_debtors(period),
        payments_left_out(period),
        *(_of(each, period) for each in further),
    ]
    return sa.select(sa.union_all(*selects).subquery("exceptions"))


def waits_for_a_person() -> sa.ColumnElement[bool]:
    """Claim that a bounce waits for a person to judge it."""
    return sa.and_(bounce.c.kind == BounceKind.UNKNOWN, bounce.c.settled_at.is_(None))


def _of(select: sa.Select[Any], period: str | None) -> sa.Select[Any]:
    if period is None:
        return select
    return select.where(select.selected_columns["period"] == period)


def _findings() -> sa.Select[Any]:
    return sa.select(
        check_finding.c.account,
        sa.literal("check").label("stage"),
        check_finding.c.check_name.label("code"),
        check_finding.c.detail.label("message"),
        check_finding.c.period.label("period"),
        check_finding.c.account_key.label("_account_key"),
        check_result.c.position.label("_position"),
    ).join(
        check_result,
        sa.and_(
            check_result.c.period == check_finding.c.period,
            check_result.c.check_name == check_finding.c.check_name,
            check_result.c.severity != Severity.FOLDED,
            check_finding.c.known_until.is_(None),
        ),
    )


def _of_the_feed() -> sa.Select[Any]:
    """Select what of the feed a person has not settled, in the account's newest period."""
    rows = feed_finding.c
    return (
        sa.select(
            rows.account,
            sa.literal("feed").label("stage"),
            rows.code,
            rows.message,
            sa.func.coalesce(balance_due.c.period, "").label("period"),
            rows.account_key.label("_account_key"),
            sa.literal(0).label("_position"),
        )
        .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
        .where(rows.settled_at.is_(None))
    )


def _refused() -> sa.Select[Any]:
    """Select customers' choices that the billing system refused, and nobody made anew since."""
    rows, later = customer_choice.c, customer_choice.alias("later")
    is_made_anew = sa.exists().where(
        later.c.account_key == rows.account_key,
        later.c.field == rows.field,
        later.c.number > rows.number,
    )
    return (
        sa.select(
            rows.account,
            sa.literal("feed").label("stage"),
            sa.literal("choice-refused").label("code"),
            (rows.field + ": " + rows.reason).label("message"),
            sa.func.coalesce(balance_due.c.period, "").label("period"),
            rows.account_key.label("_account_key"),
            sa.literal(0).label("_position"),
        )
        .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
        .where(rows.state == ChoiceState.REFUSED, ~is_made_anew)
    )


def _unsent() -> sa.Select[Any]:
    return sa.select(
        delivery.c.account,
        sa.literal("mail").label("stage"),
        sa.case(
            (delivery.c.error.like("bounced: 5.7.%"), "mail-policy"),
            (delivery.c.bounced_at.is_not(None), "mail-bounced"),
            else_=sa.literal("mail-").concat(sa.cast(delivery.c.status, sa.String)),
        ).label("code"),
        sa.func.coalesce(delivery.c.error, "").label("message"),
        delivery.c.period.label("period"),
        delivery.c.account_key.label("_account_key"),
        sa.literal(0).label("_position"),
    ).where(
        delivery.c.status.in_(UNSENT),
        delivery.c.error.is_distinct_from(UNSUBSCRIBED),  # its owner's wish: nothing to do
    )


def _unknown_bounces() -> sa.Select[Any]:
    return (
        sa.select(
            sa.func.coalesce(delivery.c.account, "").label("account"),
            sa.literal("mail").label("stage"),
            sa.literal("bounce-unknown").label("code"),
            bounce.c.diagnostic.label("message"),
            delivery.c.period.label("period"),
            sa.func.coalesce(delivery.c.account_key, "").label("_account_key"),
            sa.literal(1).label("_position"),
        )
        .outerjoin_from(bounce, delivery, delivery.c.key == bounce.c.delivery_key)
        .where(waits_for_a_person())
    )


def _broken_plans() -> sa.Select[Any]:
    """Select the broken plans of accounts that have no later one, for the list of exceptions."""
    later = arrangement.alias("later")
    has_later = sa.exists().where(
        later.c.account_key == _PLAN.account_key, later.c.number > _PLAN.number
    )
    message = sa.literal("its payment arrangement is broken: ").concat(_PLAN.end_reason)
    return _of_a_plan("arrangement-broken", message, 4).where(
        _PLAN.state == ArrangementState.BROKEN, ~has_later
    )


def _waiting_plans() -> sa.Select[Any]:
    """Select the plans that wait for a second person's yes."""
    message = sa.literal("its payment arrangement waits for the yes of a second person, ").concat(
        sa.literal("asked by ").concat(_PLAN.made_by)
    )
    return _of_a_plan("arrangement-waiting", message, 4).where(
        _PLAN.state == ArrangementState.WAITING
    )


def _of_a_plan(code: str, message: sa.ColumnElement[str], position: int) -> sa.Select[Any]:
    return sa.select(
        _PLAN.account,
        sa.literal("payment").label("stage"),
        sa.literal(code).label("code"),
        message.label("message"),
        _PLAN.period.label("period"),
        _PLAN.account_key.label("_account_key"),
        sa.literal(position).label("_position"),
    )
