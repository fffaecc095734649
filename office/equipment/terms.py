"""On what terms this office collects: its settings as payments take them."""

from __future__ import annotations

from datetime import datetime, time

from domain.money import Money
from mail.notices.payments import Notifying
from mail.reminders.due_dates import Reminding
from office.equipment.office import Office
from payments.terms import CollectionTerms
from rules.mail.reminders import Exemption, LadderStep, ReminderPlan, plan_reminders
from rules.money.checkout import CheckoutPolicy
from rules.money.retrying import RetryPolicy
from rules.money.returns import AgainPolicy


def notifying_of(office: Office, now: datetime, *, records: bool = True) -> Notifying:
    """Return on what terms an office sends notices at a moment; a look records nothing."""
    chosen = office.settings.notices
    return Notifying(
        now,
        office.who,
        office.message_domain,
        to_landlords=office.settings.ebill.landlords,
        receipts=chosen.receipts,
        autopay_scheduled=chosen.autopay_scheduled,
        records=records,
    )


def plan_of(office: Office) -> ReminderPlan:
    """Return the plan that an office's settings make."""
    chosen = office.settings.reminders
    return plan_reminders(
        days_before_due=chosen.days_before_due,
        days_after_due=chosen.days_after_due,
        at=time.fromisoformat(chosen.time),
        cut_off_days=chosen.cut_off_days,
        spare_autopay=chosen.spare_autopay,
        ladder=[
            LadderStep(one.name, one.days_after_due, Money.parse(one.smallest_balance))
            for one in chosen.ladder
        ],
    )


def reminding_of(office: Office, now: datetime, *, records: bool = True) -> Reminding:
    """Return on what terms an office reminds at a moment; a look records nothing."""
    return Reminding(
        plan_of(office),
        now,
        office.who,
        office.message_domain,
        records,
        exemption=exemption_of(office),
    )


def exemption_of(office: Office) -> Exemption | None:
    """Return what the office holds to be its own fault; None where that keeps nobody back."""
    chosen = office.settings.reminders
    return Exemption(chosen.shield_days, office.office_days) if chosen.shield else None


def terms_of(office: Office) -> CollectionTerms:
    """Return the terms that an office's settings make."""
    chosen = office.settings.autopay
    return CollectionTerms(
        closed=office.bank_days,
        autopay=office.autopay_policy,
        retry=RetryPolicy(
            attempts=chosen.attempts, days_after_due=chosen.last_retry_days_after_due
        ),
        again=AgainPolicy(chosen.return_attempts, chosen.return_wait_banking_days),
        return_fee=Money.parse(chosen.return_fee),
        return_fee_codes=chosen.return_fee_codes,
        who=office.who,
    )


def checkout_policy_of(office: Office) -> CheckoutPolicy:
    """Return what an office lets customers pay by hand, and what that costs them."""
    chosen = office.settings.checkout
    return CheckoutPolicy(
        chosen.fee_tables(),
        pays_ahead=chosen.pay_ahead,
        has_cart=chosen.cart,
        offered={
            one.code: one.for_guests and chosen.guests
            for one in office.settings.other_payments.offered
        },
    )
