"""Autopay of an account: the offer in words before the yes, what is scheduled, the end of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.queries.portal.accounts import PortalAccount
from database.tables import autopay_unscheduled
from domain.failures import Misuse, Refused
from domain.identity import mailbox_of
from domain.payments import Mandate
from identity.activity import record_activity
from identity.wallet import SavedMethod
from office.procedures.portal.autopay_mails import mail_ended, mail_enrolled
from office.procedures.portal.enrollment_terms import enrollment_terms
from payments.enrollment.ending import Ended, cancel_enrollment
from payments.enrollment.enrolling import Offer, enroll, offer_enrollment, require_free
from payments.enrollment.facts import EnrollmentFacts, read_enrollment_facts
from payments.enrollment.wording import say_mandate, say_outcome
from rules.money.autopay import OverMaximum, is_method_blocked
from web.customers.accounts import my_known_account
from web.customers.autopay.form import read_wish, seal_of
from web.customers.autopay.words import (
    NO_BILL,
    NOT_NOW,
    say_always,
    say_ending,
    say_first,
    say_refusal,
)
from web.customers.choices.wallet import my_wallet
from web.layout import missing, show
from web.visits import Visit, redirect

DONE = {
    "enrolled": "Autopay is set up.",
    "unenrolled": "You are unenrolled from autopay. From now on you pay your bills yourself.",
}


@dataclass(frozen=True, slots=True)
class AutopayView:
    """One account's autopay as the visitor may know it, and what they may pay with."""

    mine: PortalAccount
    standing: EnrollmentFacts
    address: str  # of the page
    is_payer: bool  # the mandate draws from the visitor's own wallet
    may_end: bool
    not_now: str  # why nothing is scheduled, of somebody enrolled
    usable: list[SavedMethod] = field(repr=False)
    unusable: list[SavedMethod] = field(repr=False)


def show_autopay(visit: Visit) -> Response:
    view = _view(visit)
    return missing(visit) if view is None else _page(visit, view, 200)


def take_wish(visit: Visit) -> Response:
    """Show what would happen, by the same rules as it then does; nothing is changed."""
    view = _view(visit)
    if view is None:
        return missing(visit)
    wish = read_wish(visit, view.mine.account, visit.user.address, view.usable)
    if wish.request is None:
        return _page(visit, view, 422, problems=wish.problems)
    try:
        offer = offer_enrollment(
            visit.office.database,
            wish.request,
            **enrollment_terms(visit.office, visit.today, visit.language),
        )
    except (Refused, Misuse) as refusal:
        return _page(visit, view, 409, problems={"": say_refusal(visit, refusal.code)})
    return _offer_page(visit, view, offer, 200)


def take_yes(visit: Visit) -> Response:
    """Enroll as was shown; where anything differs by now, it is shown again instead."""
    view = _view(visit)
    if view is None:
        return missing(visit)
    if view.standing.mandate is not None and view.is_payer:  # the button was pressed twice
        return redirect(view.address)
    wish = read_wish(visit, view.mine.account, visit.user.address, view.usable)
    if wish.request is None:
        return _page(visit, view, 422, problems=wish.problems)
    terms = enrollment_terms(visit.office, visit.today, visit.language)
    try:
        offer = offer_enrollment(visit.office.database, wish.request, **terms)
        if seal_of(offer) != visit.text("seal"):
            problems = {"": say_refusal(visit, "changed")}
            return _offer_page(visit, view, offer, 409, problems=problems)
        enroll(
            visit.office.database,
            offer,
            now=visit.office.moment(),
            who=visit.user.who,
            alongside=lambda books, done: _tell_enrolled(visit, books, done),
            **terms,
        )
    except (Refused, Misuse) as refusal:
        return _page(visit, view, 409, problems={"": say_refusal(visit, refusal.code)})
    visit.wake_mail()
    return redirect(f"{view.address}?done=enrolled")


def take_ending(visit: Visit) -> Response:
    """Unenroll whoever's wallet pays; what was asked for already stands (rules 60, 61)."""
    view = _view(visit)
    if view is None:
        return missing(visit)
    try:
        if not view.may_end and view.standing.mandate is not None:
            raise Refused("not-theirs", "Autopay draws from somebody else's wallet.")
        cancel_enrollment(
            visit.office.database,
            view.mine.account,
            now=visit.office.moment(),
            today=visit.today,
            who=visit.user.who,
            reason="unenrolled in the portal",
            only_of=mailbox_of(visit.user.address),
            alongside=lambda books, ended: _tell_ended(visit, books, ended),
        )
    except Refused as refusal:
        return _page(visit, view, 409, problems={"": say_refusal(visit, refusal.code)})
    visit.wake_mail()
    return redirect(f"{view.address}?done=unenrolled")


def _view(visit: Visit) -> AutopayView | None:
    mine = my_known_account(visit)
    if mine is None:
        return None
    with visit.office.database.reading() as books:
        standing = read_enrollment_facts(books, mine.account, visit.today)
        not_now = _not_now(books, standing)
    wallet = my_wallet(visit)
    usable = [
        one
        for one in wallet
        if not (
            one.is_suspended
            or one.is_over(visit.today)
            or is_method_blocked(standing.payable, one.kind)
        )
    ]
    is_payer = standing.payer == mailbox_of(visit.user.address)
    return AutopayView(
        mine,
        standing,
        f"/accounts/{mine.account_key}/autopay",
        is_payer,
        is_payer or (not standing.payer and not mine.is_landlords),
        not_now,
        usable,
        [one for one in wallet if one not in usable],
    )


def _not_now(books: Connection, standing: EnrollmentFacts) -> str:
    """Return why an enrolled account has no payment now (rule 81)."""
    if standing.period is None:
        return NO_BILL
    rows = autopay_unscheduled.c
    reason = books.scalar(
        sa.select(rows.reason).where(
            rows.period == standing.period, rows.account_key == standing.key
        )
    )
    return "" if reason is None else NOT_NOW[reason]


def _page(visit: Visit, view: AutopayView, status: int, **values: Any) -> Response:
    """Show the form, or what is agreed; a landlord or neighbor sees no payment details."""
    standing, agreed = view.standing, view.standing.mandate
    given = {
        "view": view,
        "done": DONE.get(visit.request.query_params.get("done", ""), ""),
        "method": _agreed_method(visit, agreed) if agreed else "",
        "ending": say_ending(visit, standing) if agreed else [],
        "hindered": _hindrance(visit, view),
        "methods": [(one, visit.say_saved(one)) for one in view.usable],
        "unusable": [(visit.say_saved(one), _why_not(visit, view, one)) for one in view.unusable],
        "caps": visit.office.autopay_policy.over_maximum is OverMaximum.CAP,
        **values,
    }
    return show(visit, "autopay.html", status, **given)


def _offer_page(
    visit: Visit, view: AutopayView, offer: Offer, status: int, **values: Any
) -> Response:
    given = {
        "view": view,
        "offer": offer,
        "method": _agreed_method(visit, offer.mandate),
        "first": say_first(visit, offer),
        "always": say_always(visit, offer),
        "seal": seal_of(offer),
        **values,
    }
    return show(visit, "autopay-offer.html", status, **given)


def _agreed_method(visit: Visit, agreed: Mandate) -> str:
    return visit.say_method(agreed.method_kind, agreed.last4, agreed.brand)


def _hindrance(visit: Visit, view: AutopayView) -> str:
    """Return why autopay cannot be set up at all: a closed account, direct pay (rules 61-63)."""
    if view.standing.mandate is not None:
        return ""
    try:
        office = visit.office
        require_free(view.standing, visit.today, office.bank_days, office.autopay_policy)
    except Refused as refusal:
        return say_refusal(visit, refusal.code)
    return ""


def _why_not(visit: Visit, view: AutopayView, method: SavedMethod) -> str:
    if is_method_blocked(view.standing.payable, method.kind):
        return say_refusal(visit, "method-blocked")
    if method.is_over(visit.today):
        return visit.say("This card has expired.")
    return visit.say("Your bank or card refused it for good: nothing can be drawn from it.")


def _tell_enrolled(visit: Visit, books: Connection, done: Offer) -> None:
    detail = f"{say_mandate(done.mandate)}; {say_outcome(done.planned)}"
    _record(visit, books, "enrolled in autopay", done.standing, detail)
    mail_enrolled(visit.office, books, done.standing, visit.user.address, visit.user.number)


def _tell_ended(visit: Visit, books: Connection, ended: Ended) -> None:
    _record(visit, books, "autopay ended", ended.standing, say_mandate(ended.mandate))
    mail_ended(visit.office, books, ended.standing, visit.user.address, visit.user.number)


def _record(
    visit: Visit, books: Connection, kind: str, standing: EnrollmentFacts, detail: str
) -> None:
    record_activity(
        books, visit.user.number, kind, visit.now, account_key=standing.key, detail=detail
    )
