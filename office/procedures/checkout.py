"""Customers' payments by hand: drafted, drawn by one yes, found out where no answer came."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from database.queries.balances import balances
from domain.checkout import (
    CAME_TO_NOTHING,
    Checkout,
    CheckoutEnd,
    CheckoutOwner,
    PayableAccount,
    PayLine,
    Refusal,
)
from domain.payments import PaymentKind
from identity.tokens import new_token
from mail.notices.checkouts import queue_checkout_mails
from office.equipment.office import Office
from office.procedures.feeding import find_stale
from payments.checkout.cart import (
    put_back_into_cart,
    put_into_cart,
    read_cart,
    take_out_of_cart,
)
from payments.checkout.confirming import (
    Consent,
    PayWish,
    confirm_checkout,
    draft_checkout,
    no_consent,
)
from payments.checkout.facts import newest_period, read_checkout
from payments.collecting.claiming import abandon_dead_checkouts
from payments.collecting.unanswered import look_up_due, look_up_payment
from payments.port import GatewayMisuse

LOG = logging.getLogger("billclose.checkout")


def draft(
    office: Office, wish: PayWish, consent: Consent = no_consent
) -> tuple[str, Refusal | None]:
    """Record what the check page shows; return its random key, and why not where it is refused."""
    key, policy = new_token(), office.checkout_terms
    with office.database.writing() as books:
        return key, draft_checkout(books, key, wish, policy, office.due_now(), consent)


def confirm(office: Office, key: str, owner: CheckoutOwner, returns_to: str) -> None:
    """
    Draw a checkout by its customer's yes, once, and let the receipt wait for its mail.

    `returns_to` is the path of the page to which their bank leads them back, if it wants them.
    Whose yes was the first reads a no on the page that this leads to, and needs no mail of it.
    """
    is_told, returns_to = True, f"{office.settings.web.url.rstrip('/')}{returns_to}"
    try:
        is_told = confirm_checkout(
            office.database,
            office.gateway,
            key,
            owner,
            office.due_now,
            office.autopay_terms,
            office.checkout_terms,
            returns_to,
        )
    except GatewayMisuse as misuse:
        LOG.error("the gateway says that we ask wrongly: %s", misuse)
    terms = office.notices_terms(office.due_now())
    queue_checkout_mails(office.database, terms, key, reads_page=is_told)


def come_back(
    office: Office, key: str, owner: CheckoutOwner, *, gives_up: bool = False
) -> Checkout | None:
    """
    Find out at once what became of a payment whose customer was sent to their bank.

    That a browser comes back says nothing: the gateway is asked what is so. `gives_up`: they will
    not answer their bank any more. Returns the payment as it stands then; None where it is not
    theirs. One that awaits nobody is left as it is: whoever reloads the page must not use up the
    early look-ups of a payment whose answer was lost.
    """
    one = find(office, key, owner)
    if one is None or one.end(office.due_now()) is not CheckoutEnd.AWAITS:
        return one
    try:
        look_up_payment(
            office.database,
            office.gateway,
            office.autopay_terms,
            office.due_now,
            f"{PaymentKind.CHECKOUT}/{key}",
            gives_up=gives_up,
        )
    except GatewayMisuse as misuse:
        LOG.error("the gateway says that we ask wrongly: %s", misuse)
    terms = office.notices_terms(office.due_now())
    queue_checkout_mails(office.database, terms, key, reads_page=True)
    return find(office, key, owner)


def find(office: Office, key: str, owner: CheckoutOwner) -> Checkout | None:
    """Return a checkout as it stands; None where it is not theirs."""
    with office.database.reading() as books:
        return read_checkout(books, key, owner)


def follow_up(office: Office) -> int:
    """
    Find out what became of payments by hand that have no answer, and queue the mails that tell.

    Returns how many mails are new. The office's collecting does the same for all payments; here
    it is done each minute, because somebody waits before the page.
    """
    abandon_dead_checkouts(office.database, office.due_now())
    try:
        look_up_due(
            office.database,
            office.gateway,
            office.autopay_terms,
            office.due_now,
            kind=PaymentKind.CHECKOUT,
        )
    except GatewayMisuse as misuse:
        LOG.error("the gateway says that we ask wrongly: %s", misuse)
    return queue_checkout_mails(office.database, office.notices_terms(office.due_now())).queued


def is_possible(office: Office) -> bool:
    """Tell whether a payment has a place in the books: not before the first close."""
    with office.database.reading() as books:
        return newest_period(books) is not None


def cart_of(office: Office, owner: CheckoutOwner) -> list[tuple[int, PayLine]]:
    """Return the lines of somebody's cart, with their numbers."""
    with office.database.reading() as books:
        return read_cart(books, owner, office.due_now())


def put(office: Office, owner: CheckoutOwner, line: PayLine) -> bool:
    """Put a line into somebody's cart; no where it is full."""
    has_cart = office.settings.checkout.cart
    with office.database.writing() as books:
        return put_into_cart(books, owner, line, office.due_now(), has_cart=has_cart)


def take_out(office: Office, owner: CheckoutOwner, number: int) -> None:
    with office.database.writing() as books:
        take_out_of_cart(books, owner, number)


def begin_again(office: Office, key: str, owner: CheckoutOwner) -> None:
    """Put what a payment that came to nothing was for back into its cart; else do nothing."""
    now, has_cart = office.due_now(), office.settings.checkout.cart
    with office.database.writing() as books:
        one = read_checkout(books, key, owner)
        if one is not None and one.end(now) in CAME_TO_NOTHING:
            put_back_into_cart(books, owner, one.lines, now, has_cart=has_cart)


def balances_as_of(office: Office, accounts: Iterable[PayableAccount]) -> datetime | None:
    """
    Return since when balances of these accounts are too old to go by; None: they are of today.

    A customer pays at their own word, not by the balance: so nothing is refused, and the page says
    what it does not know (contract 6).
    """
    now, stale = office.due_now(), find_stale(office, office.due_now())
    keys = [one.account_key for one in accounts if one.period in stale.why]
    if not keys:
        return None
    listed = balances().subquery()
    with office.database.reading() as books:
        moments = books.scalars(sa.select(listed.c.as_of).where(listed.c._account_key.in_(keys)))
        return min((one for one in moments if one), default=now)
