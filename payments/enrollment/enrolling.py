"""Enrolling in autopay: what would happen is worked out, shown, agreed to and then done."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.queries.portal.choices import AUTOPAY, record_choice
from database.tables import suspended_method
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.feeds import YES
from domain.money import Money
from domain.payment_methods import say_method
from domain.payments import Mandate, MethodKind, PlannedPayment
from payments.enrollment.facts import (
    EnrollmentFacts,
    Method,
    find_method,
    is_linked,
    lock_enrollment,
    read_enrollment_facts,
)
from payments.enrollment.records import cancel_waiting, record_enrollment, record_outcome
from payments.enrollment.wording import Consent, consent_values, say_mandate, say_outcome
from rules.money.autopay import (
    AutopayPolicy,
    OverMaximum,
    draw_date,
    is_method_blocked,
    plan_enrollment,
)


def plan_again(
    standing: EnrollmentFacts, today: date, closed: Container[date], policy: AutopayPolicy
) -> PlannedPayment | None:
    """Return what the same mandate given anew today would bring about; None before a close."""
    if standing.mandate is None or standing.due_on is None:
        return None
    anew = replace(standing.mandate, enrolled_on=today)
    return plan_enrollment(
        standing.payable, anew, due_on=standing.due_on, closed=closed, policy=policy
    )


def say_consequence(
    standing: EnrollmentFacts, today: date, closed: Container[date], policy: AutopayPolicy
) -> str:
    """Say what falls away by cancelling, and what enrolling again then draws; else nothing."""
    payment, again = standing.payment, plan_again(standing, today, closed, policy)
    told = []
    if payment is not None and payment.waits:
        told.append(
            f"Cancelling takes the payment of {payment.amount.dollars()} on {payment.pay_on} off "
            "the schedule."
        )
    elif payment is not None and payment.is_processed:
        told.append(f"This period's payment of {payment.amount.dollars()} stands.")
    if again is not None and again.pay_on is not None:
        told.append(_say_again(standing, again, closed, policy))
    return " ".join(told)


def _say_again(
    standing: EnrollmentFacts, again: PlannedPayment, closed: Container[date], policy: AutopayPolicy
) -> str:
    if again.immediate:
        return f"Enrolling again draws {again.amount.dollars()} at once."
    assert standing.mandate is not None and standing.due_on is not None
    day = draw_date(standing.due_on, standing.mandate.days_prior, closed, policy.on_closed_day)
    return f"Enrolling again from {day} on draws {again.amount.dollars()} at once."


def require_free(
    standing: EnrollmentFacts, today: date, closed: Container[date], policy: AutopayPolicy
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
            f"{say_method(agreed.method_kind, agreed.last4, agreed.brand)}; to change that, "
            f"cancel and enroll again. {say_consequence(standing, today, closed, policy)}".strip(),
        )


def require_usable(books: Connection, standing: EnrollmentFacts, method: Method) -> None:
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
            f"The {say_method(method.kind, method.last4, method.brand)} is suspended, because "
            "nothing can be drawn from it; choose another payment method.",
        )


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """What the customer asks for, as the office or the portal takes it down (rules 48, 50, 64)."""

    account: str
    portal_user: str  # whose wallet pays: a registered portal user or an e-mail address
    method: str  # its token, or the last four digits of the only one that ends so
    days_prior: int
    maximum: Money | None = None
    pays_up_to_maximum: bool | None = None  # None: as the office's setting says today


class EnrollmentEffect(StrEnum):
    """What enrolling now brings about (rules 51-59)."""

    AT_ONCE = "at-once"
    ON_DAY = "on-day"
    AFTER_NEXT_CLOSE = "after-next-close"


@dataclass(frozen=True, slots=True)
class Offer:
    """All that is shown before the yes; `planned` is None before the account's first close."""

    request: EnrollmentRequest
    standing: EnrollmentFacts
    mandate: Mandate
    method: Method
    planned: PlannedPayment | None
    over_maximum: bool  # what is open now is above the maximum (ruling 5)
    is_linked: bool  # the portal user sees this account in the portal
    consent_version: str
    consent_language: str
    consent_text: str

    @property
    def outcome(self) -> EnrollmentEffect:
        if self.planned is None or self.planned.pay_on is None:
            return EnrollmentEffect.AFTER_NEXT_CLOSE
        return EnrollmentEffect.AT_ONCE if self.planned.immediate else EnrollmentEffect.ON_DAY

    @property
    def needs_yes(self) -> bool:
        """Tell whether it must be seen first: money leaves at once, or less than is owed."""
        return self.outcome is EnrollmentEffect.AT_ONCE or self.over_maximum


def offer_enrollment(
    database: Database,
    request: EnrollmentRequest,
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
        return _offer(books, request, today, closed, policy, consent)


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
    alongside: Callable[[Connection, Offer], None] | None = None,
) -> Offer:
    """
    Carry out what was offered and agreed to; return it as it was done.

    All is worked out anew where nobody else can enroll, cancel, schedule or close: raises Refused
    (`changed`) where anything differs by now from what the customer saw. The mandate with its
    consent, the payment, the audit entry and what the billing system is told are one transaction,
    and so is what `alongside` does.
    """
    with database.writing() as books:
        lock_enrollment(books, offer.request.account)
        found = _offer(books, offer.request, today, closed, policy, consent)
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
        record_choice(books, standing.account, {AUTOPAY: YES}, now=now, by=who)
        if alongside is not None:
            alongside(books, found)
    return found


def _offer(
    books: Connection,
    request: EnrollmentRequest,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
    consent: Consent,
) -> Offer:
    standing = read_enrollment_facts(books, request.account, today)
    require_free(standing, today, closed, policy)
    method = find_method(books, standing.newest, request.portal_user, request.method)
    require_usable(books, standing, method)

    agreed = _to_mandate(standing, request, method, today, policy)
    planned = _plan(standing, agreed, closed, policy)
    values = consent_values(standing, agreed, planned, consent.language)
    return Offer(
        request=request,
        standing=standing,
        mandate=agreed,
        method=method,
        planned=planned,
        over_maximum=_is_over_maximum(standing, agreed),
        is_linked=is_linked(books, standing.newest, standing.key, method.portal_user),
        consent_version=consent.version,
        consent_language=consent.language,
        consent_text=consent.fill(values),
    )


def _to_mandate(
    standing: EnrollmentFacts,
    request: EnrollmentRequest,
    method: Method,
    today: date,
    policy: AutopayPolicy,
) -> Mandate:
    """What the office's setting decides today is agreed to as well, and stays so."""
    pays_up_to = request.pays_up_to_maximum
    if pays_up_to is None:
        pays_up_to = policy.over_maximum is OverMaximum.CAP
    return Mandate(
        account=standing.account,
        method_token=method.token,
        method_kind=method.kind,
        last4=method.last4,
        days_prior=request.days_prior,
        maximum=request.maximum,
        enrolled_on=today,
        pays_up_to_maximum=None if request.maximum is None else pays_up_to,
        brand=method.brand,
    )


def _plan(
    standing: EnrollmentFacts, agreed: Mandate, closed: Container[date], policy: AutopayPolicy
) -> PlannedPayment | None:
    if standing.due_on is None:
        return None
    return plan_enrollment(
        standing.payable, agreed, due_on=standing.due_on, closed=closed, policy=policy
    )


def _is_over_maximum(standing: EnrollmentFacts, agreed: Mandate) -> bool:
    payable = standing.payable
    exempt = payable.pays_equal_amount or payable.already_processed
    return agreed.maximum is not None and not exempt and payable.balance > agreed.maximum
