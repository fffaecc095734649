"""What `billclose list` can show: one SELECT each, its columns named as in the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from command_line.lists_mail import communications, mailings, unsubscribed_addresses
from database.debtors import unreachable_debtors
from database.left_out import payments_left_out
from database.return_rates import rates_by_period
from database.tables import (
    account,
    audit,
    autopay_unscheduled,
    bill,
    bill_run,
    bounce,
    check_finding,
    check_result,
    delivery,
    paper,
    period_close,
    posting,
    scheduled_payment,
    suppressed_address,
)
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus
from domain.payments import PaymentState, PostingKind, PostingState
from domain.periods import NOTICE
from mail.unsubscriptions import UNSUBSCRIBED
from payments.settlement_matching import deposits

Select = sa.Select[Any]


def bills() -> Select:
    """
    Select the bills of closed periods (rules 2, 11-13).

    One is visible where it is its account's only one of that form: of two, a person must say
    which counts.
    """
    other = bill.alias("other")
    single = ~sa.exists().where(
        other.c.run == bill.c.run,
        other.c.form == bill.c.form,
        other.c.account_key == bill.c.account_key,
        other.c.ordinal != bill.c.ordinal,
    )
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


def deliveries() -> Select:
    sending = delivery.c.status == DeliveryStatus.SENDING
    status = sa.case(
        (sending, DeliveryStatus.QUEUED.value), else_=sa.cast(delivery.c.status, sa.String)
    )
    return sa.select(
        delivery.c.account,
        delivery.c.run.label("period"),
        delivery.c.kind,
        delivery.c.address.label("recipient"),
        delivery.c.source,
        sa.type_coerce(status, sa.String).label("status"),
        delivery.c.message_id,
        delivery.c.attempts,
        delivery.c.sent_at,
        delivery.c.error,
        delivery.c.form,
        delivery.c.possible_duplicate,
        delivery.c.bounced_at,
        delivery.c.account_key.label("_account_key"),
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


def bounces() -> Select:
    """Select the mails that came back; `waits` are those that a person has to judge."""
    return sa.select(
        sa.func.substr(bounce.c.id, 1, 12).label("id"),
        bounce.c.received_at,
        delivery.c.account,
        delivery.c.run.label("period"),
        bounce.c.action,
        bounce.c.status,
        bounce.c.kind,
        _waits().label("waits"),
        bounce.c.diagnostic,
        delivery.c.account_key.label("_account_key"),
    ).outerjoin_from(bounce, delivery, delivery.c.key == bounce.c.delivery_key)


def suppressed_addresses() -> Select:
    return sa.select(
        suppressed_address.c.mailbox.label("address"),
        delivery.c.account,
        suppressed_address.c.since,
        suppressed_address.c.reason,
        delivery.c.account_key.label("_account_key"),
    ).outerjoin_from(
        suppressed_address, delivery, delivery.c.key == suppressed_address.c.delivery_key
    )


def _waits() -> sa.ColumnElement[bool]:
    return sa.and_(bounce.c.kind == BounceKind.UNKNOWN, bounce.c.settled_at.is_(None))


def scheduled_payments() -> Select:
    """Select list (i): scheduled for the future or processed, with the office's status (74-80)."""
    payments = scheduled_payment.c
    waiting = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)
    status = sa.case(
        (payments.state.in_(waiting), "Pending"),
        (payments.state == PaymentState.SUCCEEDED, payments.confirmation),
        (payments.state == PaymentState.CANCELLED, "Cancelled"),
        else_=sa.func.coalesce(payments.error, "Failed"),
    )
    return sa.select(
        payments.account,
        payments.run.label("period"),
        payments.pay_on.label("pay_date"),
        payments.amount,
        payments.method_kind.label("method"),
        payments.last4,
        payments.immediate,
        payments.state,
        sa.type_coerce(status, sa.String).label("status"),
        payments.confirmation,
        payments.account_key.label("_account_key"),
    )


def unscheduled() -> Select:
    """Select list (ii): enrolled, and no payment in this period (rules 74, 81)."""
    listed = autopay_unscheduled.c
    return sa.select(
        listed.account,
        listed.reason,
        listed.run.label("period"),
        listed.account_key.label("_account_key"),
    )


def pending_payments() -> Select:
    """
    Select what was taken and not posted; it should always be blank (rules 84-86).

    What was taken back and not taken out again stands there too, as a reversal. What waits for a
    person has no next retry.
    """
    rests = posting.c.state != PostingState.REJECTED
    return (
        sa.select(
            scheduled_payment.c.confirmation,
            scheduled_payment.c.account,
            posting.c.amount,
            scheduled_payment.c.taken_at,
            posting.c.attempts,
            sa.case((rests, posting.c.next_retry_at)).label("next_retry"),
            posting.c.error,
            posting.c.kind,
            posting.c.state,
            posting.c.key,
            scheduled_payment.c.account_key.label("_account_key"),
        )
        .join(posting, posting.c.payment_key == scheduled_payment.c.key)
        .where(posting.c.state != PostingState.POSTED)
    )


def completed_payments() -> Select:
    """Select what was taken through the payment gateway (rule 88)."""
    taken = (PaymentState.SUCCEEDED, PaymentState.RETURNED)
    return (
        sa.select(
            scheduled_payment.c.confirmation,
            scheduled_payment.c.account,
            scheduled_payment.c.amount,
            scheduled_payment.c.method_kind.label("method"),
            scheduled_payment.c.taken_at,
            posting.c.posted_at,
            sa.literal("autopay").label("source"),
            posting.c.receipt,
            scheduled_payment.c.state,
            scheduled_payment.c.account_key.label("_account_key"),
        )
        .outerjoin(
            posting,
            sa.and_(
                posting.c.payment_key == scheduled_payment.c.key,
                posting.c.kind == PostingKind.RECEIPT,
            ),
        )
        .where(scheduled_payment.c.state.in_(taken))
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
        .where(_waits())
    )
    left = (unreachable_debtors(), payments_left_out(), *further)
    return sa.select(found.union_all(unsent, unknown, *left).subquery())


def audit_list() -> Select:
    return sa.select(
        audit.c.at,
        audit.c.who,
        audit.c.action,
        audit.c.subject,
        audit.c.detail,
        audit.c.id.label("_id"),
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """A list and the columns it is ordered by; those that begin with _ are not shown."""

    select: Callable[[], Select]
    order: tuple[str, ...]


LISTS = {
    "bills": Listing(bills, ("period", "form", "_account_key", "pdf")),
    "deliveries": Listing(deliveries, ("period", "_account_key", "form", "recipient")),
    "paper": Listing(paper_bills, ("period", "part", "form", "sequence")),
    "bounces": Listing(bounces, ("received_at", "id")),
    "suppressed-addresses": Listing(suppressed_addresses, ("since", "address")),
    "communications": Listing(communications, ("number",)),
    "mailings": Listing(mailings, ("number",)),
    "unsubscribed-addresses": Listing(unsubscribed_addresses, ("since", "address")),
    "scheduled-payments": Listing(scheduled_payments, ("period", "pay_date", "_account_key")),
    "autopay-unscheduled": Listing(unscheduled, ("period", "_account_key")),
    "pending-payments": Listing(pending_payments, ("taken_at", "confirmation", "key")),
    "completed-payments": Listing(completed_payments, ("taken_at", "confirmation")),
    "deposits": Listing(deposits, ("date", "deposit", "_line")),
    "return-rates": Listing(rates_by_period, ("period", "kind")),
    "checks": Listing(checks, ("period", "_position")),
    "exceptions": Listing(exceptions, ("period", "stage", "_position", "_account_key")),
    "audit": Listing(audit_list, ("_id",)),
}
