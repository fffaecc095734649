"""Customers' payments by hand: drafted, drawn by one yes, found out where no answer came."""

from __future__ import annotations

import logging

from domain.checkout import Checkout, NotTaken
from domain.payments import PaymentKind
from identity.tokens import new_token
from mail.notices.checkouts import queue_checkout_mails
from office.equipment.office import Office
from payments.checkout.confirming import PayWish, confirm_checkout, draft_checkout
from payments.checkout.facts import read_checkout
from payments.collecting.claiming import abandon_dead_checkouts
from payments.collecting.unanswered import look_up_due
from payments.port import GatewayMisuse

LOG = logging.getLogger("billclose.checkout")


def draft(office: Office, wish: PayWish) -> tuple[str, NotTaken | None]:
    """Record what the check page shows; return its random key, and why not where it is refused."""
    key = new_token()
    with office.database.writing() as books:
        return key, draft_checkout(books, key, wish, office.checkout_terms, office.due_now())


def confirm(office: Office, key: str, user: int) -> None:
    """Draw a checkout by its customer's yes, once, and let the receipt wait for its mail."""
    confirm_checkout(
        office.database,
        office.gateway,
        key,
        user,
        office.due_now,
        office.autopay_terms,
        office.checkout_terms,
    )
    queue_checkout_mails(office.database, office.notices_terms(office.due_now()), key)


def find(office: Office, key: str, user: int) -> Checkout | None:
    """Return a checkout as it stands; None where it is not the user's."""
    with office.database.reading() as books:
        return read_checkout(books, key, user)


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
