"""What is drawn for a scheduled payment when its day has come, and why sometimes nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.payments import MethodKind
from rules.money.autopay import AutopayPolicy, OverMaximum
from rules.money.balances import is_owed


class NoDraw(StrEnum):
    """Why a payment whose day has come is not drawn; the first that applies."""

    IN_DOUBT = "in-doubt"  # another draw of the account may have happened: it waits
    BALANCE_MOVED = "balance-moved"  # a later period's bill holds what was open
    PAID_MEANWHILE = "paid-meanwhile"
    ARRANGED = "arranged"  # what is open is in a payment arrangement: it is paid by hand, by dates
    HELD = "held"
    ACCOUNT_CLOSED = "account-closed"
    DIRECT_PAY = "direct-pay"
    MANDATE_ENDED = "mandate-ended"
    METHOD_BLOCKED = "method-blocked"
    METHOD_SUSPENDED = "method-suspended"
    OVER_MAXIMUM = "over-maximum"
    TOO_LATE = "too-late"  # found out so long after its day that nobody expects it any more
    AMOUNT_CHANGED = "amount-changed"  # drawn again after a return: with the same amount or not

    @property
    def as_error(self) -> str:
        """How the list of payments says it (rule 79)."""
        return f"not drawn: {self}"

    @property
    def waits(self) -> bool:
        """Tell whether the payment stays scheduled; otherwise it is cancelled."""
        return self is NoDraw.IN_DOUBT


@dataclass(frozen=True, slots=True)
class Drawable:
    """A scheduled payment and its account as they stand at the moment of drawing."""

    amount: Money  # what was scheduled, and told to the customer
    open_balance: Money | None  # None: the balance due is of a later period
    method_kind: MethodKind
    status: AccountStatus
    maximum: Money | None = None
    pays_up_to_maximum: bool | None = None  # the customer's own choice; None: the office's
    pays_equal_amount: bool = False
    direct_pay: bool = False
    block_ach: bool = False
    block_card: bool = False
    is_held: bool = False
    is_mandate_ended: bool = False
    is_suspended: bool = False
    is_in_doubt: bool = False  # another draw of the account is asked and not answered
    is_again: bool = False  # the same money was drawn and returned before
    deferred: Money = ZERO  # of the open balance, what a payment arrangement puts off


def decide_draw(drawable: Drawable, policy: AutopayPolicy) -> Money | NoDraw:
    """
    Return what is drawn, or why nothing is (rules 39, 41, 136-138; rulings 3, 5).

    Everything is looked at anew: between scheduling and drawing a customer pays at the counter, a
    block is set, an account closes. Never more is drawn than was scheduled, and never more than
    is still owed. What was returned may be drawn again with the same amount alone (Nacha).
    """
    reason = _reason_not_to_draw(drawable)
    if reason is not None:
        return reason
    within = _within_maximum(drawable, policy)
    if within is None:
        return NoDraw.OVER_MAXIMUM
    return NoDraw.AMOUNT_CHANGED if drawable.is_again and within != drawable.amount else within


def _reason_not_to_draw(drawable: Drawable) -> NoDraw | None:
    reasons = (
        (drawable.is_in_doubt, NoDraw.IN_DOUBT),
        (drawable.open_balance is None, NoDraw.BALANCE_MOVED),
        (not is_owed(min(drawable.amount, drawable.open_balance or ZERO)), NoDraw.PAID_MEANWHILE),
        (not is_owed(_owed(drawable)), NoDraw.ARRANGED),
        (drawable.is_held, NoDraw.HELD),
        (drawable.status is AccountStatus.CLOSED, NoDraw.ACCOUNT_CLOSED),
        (drawable.direct_pay, NoDraw.DIRECT_PAY),
        (drawable.is_mandate_ended, NoDraw.MANDATE_ENDED),
        (_is_blocked(drawable), NoDraw.METHOD_BLOCKED),
        (drawable.is_suspended, NoDraw.METHOD_SUSPENDED),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _owed(drawable: Drawable) -> Money:
    """Leave what an arrangement puts off: the mandate is for bills, not for its installments."""
    return min(drawable.amount, (drawable.open_balance or ZERO) - drawable.deferred)


def _is_blocked(drawable: Drawable) -> bool:
    is_ach = drawable.method_kind is MethodKind.ACH
    return drawable.block_ach if is_ach else drawable.block_card


def _within_maximum(drawable: Drawable, policy: AutopayPolicy) -> Money | None:
    """Hold to the maximum as it is now; an equal-pay amount is agreed and exempt (ruling 3)."""
    owed, maximum = _owed(drawable), drawable.maximum
    if maximum is None or drawable.pays_equal_amount or owed <= maximum:
        return owed
    pays_up_to = drawable.pays_up_to_maximum
    if pays_up_to is None:
        pays_up_to = policy.over_maximum is OverMaximum.CAP
    return maximum if pays_up_to and is_owed(maximum) else None
