"""Enrolling in autopay: what would happen is worked out, shown, agreed to and then done."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from domain.failures import Refused
from domain.money import Money
from domain.payments import Mandate, PlannedPayment
from payments.consent import Consent
from payments.enrolling_facts import Standing, lock_standing, read_standing
from payments.enrolling_guards import require_free, require_usable
from payments.enrolling_records import (
    cancel_waiting,
    record_enrollment,
    record_outcome,
)
from payments.enrolling_words import consent_values, say_mandate, say_outcome
from payments.wallet import Method, find_method, is_linked
from rules.autopay import AutopayPolicy, OverMaximum
from rules.autopay_plan import plan_enrollment


@dataclass(frozen=True, slots=True)
class Wish:
    """What the customer asks for, as the office or the portal takes it down (rules 48, 50, 64)."""

    account: str
    portal_user: str  # whose wallet pays: a registered portal user or an e-mail address
    method: str  # its token, or the last four digits of the only one that ends so
    days_prior: int
    maximum: Money | None = None
    pays_up_to_maximum: bool | None = None  # None: as the office's setting says today


class Outcome(StrEnum):
    """What enrolling now brings about (rules 51-59)."""

    AT_ONCE = "at-once"
    ON_DAY = "on-day"
    AFTER_NEXT_CLOSE = "after-next-close"


@dataclass(frozen=True, slots=True)
class Offer:
    """All that is shown before the yes; `planned` is None before the account's first close."""

    wish: Wish
    standing: Standing
    mandate: Mandate
    method: Method
    planned: PlannedPayment | None
    over_maximum: bool  # what is open now is above the maximum (ruling 5)
    is_linked: bool  # the portal user sees this account in the portal
    consent_version: str
    consent_text: str

    @property
    def outcome(self) -> Outcome:
        if self.planned is None or self.planned.pay_on is None:
            return Outcome.AFTER_NEXT_CLOSE
        return Outcome.AT_ONCE if self.planned.immediate else Outcome.ON_DAY

    @property
    def needs_yes(self) -> bool:
        """Tell whether it must be seen first: money leaves at once, or less than is owed."""
        return self.outcome is Outcome.AT_ONCE or self.over_maximum


def offer_enrollment(
    database: Database,
    wish: Wish,
    *,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
    consent: Consent,
) -> Offer:
    """
    Work out what enrolling today would bring about; nothing is changed by it (rules 51-59).

    Raises Misuse for an account, a portal user or a payment method that nobody knows, Refused
    where the account is enrolled already (rule 60), is on the office's direct pay (rules 61-63),
    is closed, or may not pay that way (rules 136-138).
    """
    with database.reading() as books:
        return _offer(books, wish, today, closed, policy, consent)


def enroll(
    database: Database,
    offer: Offer,
    *,
    now: datetime,
    today: date,
    who: str,
    closed: Container[date],
    policy: AutopayPolicy,
    consent: Consent,
) -> Offer:
    """
    Carry out what was offered and agreed to; return it as it was done.

    All is worked out anew where nobody else can enroll, cancel, schedule or close: raises Refused
    (`changed`) where anything differs by now from what the customer saw. The mandate with its
    consent, the payment and the audit entry are one transaction.
    """
    with database.writing() as books:
        lock_standing(books, offer.wish.account)
        found = _offer(books, offer.wish, today, closed, policy, consent)
        if found != offer:
            raise Refused(
                "changed",
                f"Account {found.standing.account}: what enrolling brings about has changed "
                "since it was shown; look again. Nothing was changed.",
            )
        standing, agreed = found.standing, found.mandate
        cancel_waiting(books, standing.key)
        record_enrollment(
            books,
            standing,
            agreed,
            found.method,
            found.consent_version,
            found.consent_text,
            now,
            who,
        )
        record_outcome(books, standing, agreed, found.planned, now)
        detail = f"{say_mandate(agreed)}; {say_outcome(found.planned)}"
        record_audit(books, now, who, "enroll in autopay", standing.account, detail)
    return found


def _offer(
    books: Connection,
    wish: Wish,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
    consent: Consent,
) -> Offer:
    standing = read_standing(books, wish.account)
    require_free(standing, today, closed, policy)
    method = find_method(books, standing.newest, wish.portal_user, wish.method)
    require_usable(books, standing, method)

    agreed = _to_mandate(standing, wish, method, today, policy)
    planned = _plan(standing, agreed, closed, policy)
    values = consent_values(standing, agreed, planned)
    return Offer(
        wish=wish,
        standing=standing,
        mandate=agreed,
        method=method,
        planned=planned,
        over_maximum=_is_over_maximum(standing, agreed),
        is_linked=is_linked(books, standing.newest, standing.key, method.portal_user),
        consent_version=consent.version,
        consent_text=consent.fill(values),
    )


def _to_mandate(
    standing: Standing, wish: Wish, method: Method, today: date, policy: AutopayPolicy
) -> Mandate:
    """What the office's setting decides today is agreed to as well, and stays so."""
    pays_up_to = wish.pays_up_to_maximum
    if pays_up_to is None:
        pays_up_to = policy.over_maximum is OverMaximum.CAP
    return Mandate(
        account=standing.account,
        method_token=method.token,
        method_kind=method.kind,
        last4=method.last4,
        days_prior=wish.days_prior,
        maximum=wish.maximum,
        enrolled_on=today,
        pays_up_to_maximum=None if wish.maximum is None else pays_up_to,
    )


def _plan(
    standing: Standing, agreed: Mandate, closed: Container[date], policy: AutopayPolicy
) -> PlannedPayment | None:
    if standing.due_on is None:
        return None
    return plan_enrollment(
        standing.payable, agreed, due_on=standing.due_on, closed=closed, policy=policy
    )


def _is_over_maximum(standing: Standing, agreed: Mandate) -> bool:
    payable = standing.payable
    exempt = payable.pays_equal_amount or payable.already_processed
    return agreed.maximum is not None and not exempt and payable.balance > agreed.maximum
