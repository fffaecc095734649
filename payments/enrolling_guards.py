"""What keeps an account from enrolling, each with what to do first."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import suspended_method
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.payments import MethodKind
from payments.enrolling_again import say_consequence
from payments.enrolling_facts import Standing
from payments.enrolling_words import say_method
from payments.wallet import Method
from rules.autopay import AutopayPolicy, is_method_blocked


def require_free(
    standing: Standing, today: date, closed: Container[date], policy: AutopayPolicy
) -> None:
    """Raise Refused where the account is closed, on direct pay, or enrolled already."""
    number, payable = standing.account, standing.payable
    if payable.status is AccountStatus.CLOSED:
        raise Refused("account-closed", f"Account {number} is closed; it cannot be enrolled.")
    if payable.direct_pay:  # rules 61-63: it would be drafted twice
        raise Refused(
            "direct-pay",
            f"Account {number} is on the office's direct pay; delete or inactivate that in the "
            "billing system and import its next export, then enroll.",
        )
    if standing.mandate is not None:
        agreed = standing.mandate
        raise Refused(
            "already-enrolled",
            f"Account {number} is enrolled since {agreed.enrolled_on} with its "
            f"{say_method(agreed.method_kind, agreed.last4)}; to change that, cancel and enroll "
            f"again. {say_consequence(standing, today, closed, policy)}".strip(),
        )


def require_usable(books: Connection, standing: Standing, method: Method) -> None:
    """Raise Refused where the account may not pay that way, or the method is suspended."""
    if is_method_blocked(standing.payable, method.kind):
        what = "bank account (ACH)" if method.kind is MethodKind.ACH else "card"
        raise Refused(
            "method-blocked",
            f"Account {standing.account} may not pay by {what}; lift that block in the billing "
            "system, or choose another payment method.",
        )
    token = suspended_method.c.method_token
    if books.execute(sa.select(token).where(token == method.token)).first() is not None:
        raise Refused(
            "method-blocked",
            f"The {say_method(method.kind, method.last4)} is suspended, because nothing can be "
            "drawn from it; choose another payment method.",
        )
