"""On what terms this office collects: its settings as payments take them."""

from __future__ import annotations

from domain.money import Money
from office.wiring import Office
from payments.terms import Terms
from rules.retrying import RetryPolicy
from rules.returns import AgainPolicy


def terms_of(here: Office) -> Terms:
    """Return the terms that an office's settings make."""
    chosen = here.settings.autopay
    return Terms(
        closed=here.bank_days,
        autopay=here.autopay_policy,
        retry=RetryPolicy(
            attempts=chosen.attempts, days_after_due=chosen.last_retry_days_after_due
        ),
        again=AgainPolicy(chosen.return_attempts, chosen.return_wait_banking_days),
        return_fee=Money.parse(chosen.return_fee),
        who=here.who,
    )
