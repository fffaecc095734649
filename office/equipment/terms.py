"""On what terms this office collects: its settings as payments take them."""

from __future__ import annotations

from datetime import datetime, time

from domain.money import Money
from mail.notices.payments import Notifying
from mail.reminders.due_dates import Reminding
from office.equipment.office import Office
from payments.terms import CollectionTerms
from rules.checkout import CheckoutPolicy
from rules.reminders import Exemption, LadderStep, ReminderPlan, plan_reminders
from rules.retrying import RetryPolicy
from rules.returns import AgainPolicy


def notifying_of(here: Office, now: datetime, *, records: bool = True) -> Notifying:
    """Return on what terms an office sends notices at a moment; a look records nothing."""
    chosen = here.settings.notices
    return Notifying(
        now,
        here.who,
        here.message_domain,
        to_landlords=here.settings.ebill.landlords,
        receipts=chosen.receipts,
        autopay_scheduled=chosen.autopay_scheduled,
        records=records,
    )


def plan_of(here: Office) -> ReminderPlan:
    """Return the plan that an office's settings make."""
    chosen = here.settings.reminders
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


def reminding_of(here: Office, now: datetime, *, records: bool = True) -> Reminding:
    """Return on what terms an office reminds at a moment; a look records nothing."""
    return Reminding(
        plan_of(here), now, here.who, here.message_domain, records, exemption=exemption_of(here)
    )


def exemption_of(here: Office) -> Exemption | None:
    """Return what the office holds to be its own fault; None where that keeps nobody back."""
    chosen = here.settings.reminders
    return Exemption(chosen.shield_days, here.office_days) if chosen.shield else None


def terms_of(here: Office) -> CollectionTerms:
    """Return the terms that an office's settings make."""
    chosen = here.settings.autopay
    return CollectionTerms(
        closed=here.bank_days,
        autopay=here.autopay_policy,
        retry=RetryPolicy(
            attempts=chosen.attempts, days_after_due=chosen.last_retry_days_after_due
        ),
        again=AgainPolicy(chosen.return_attempts, chosen.return_wait_banking_days),
        return_fee=Money.parse(chosen.return_fee),
        return_fee_codes=chosen.return_fee_codes,
        who=here.who,
    )


def checkout_policy_of(here: Office) -> CheckoutPolicy:
    """Return what an office lets customers pay by hand, and what that costs them."""
    chosen = here.settings.checkout
    return CheckoutPolicy(
        chosen.fee_tables(),
        pays_ahead=chosen.pay_ahead,
        has_cart=chosen.cart,
        offered={
            one.code: one.for_guests and chosen.guests
            for one in here.settings.other_payments.offered
        },
    )
