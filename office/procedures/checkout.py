"""Customers' payments by hand: drafted, drawn by one yes, found out where no answer came."""

from __future__ import annotations

import logging

from domain.checkout import Checkout, NotTaken
from domain.payments import PaymentKind
from identity.tokens import new_token
from mail.notices.checkouts import queue_checkout_mails
from office.equipment.office import Office
from office.equipment.terms import checkout_policy_of, notifying_of, terms_of
from payments.checkout.confirming import PayWish, confirm_checkout, draft_checkout
from payments.checkout.facts import read_checkout
from payments.collecting.claiming import abandon_dead_checkouts
from payments.collecting.unanswered import look_up_due
from payments.port import GatewayMisuse

LOG = logging.getLogger("billclose.checkout")


def draft(here: Office, wish: PayWish) -> tuple[str, NotTaken | None]:
    """Record what the check page shows; return its random key, and why not where it is refused."""
    key = new_token()
    with here.database.writing() as books:
        return key, draft_checkout(books, key, wish, checkout_policy_of(here), here.due_now())


def confirm(here: Office, key: str, user: int) -> None:
    """Draw a checkout by its customer's yes, once, and let the receipt wait for its mail."""
    confirm_checkout(
        here.database,
        here.gateway,
        key,
        user,
        here.due_now,
        terms_of(here),
        checkout_policy_of(here),
    )
    queue_checkout_mails(here.database, notifying_of(here, here.due_now()), key)


def find(here: Office, key: str, user: int) -> Checkout | None:
    """Return a checkout as it stands; None where it is not the user's."""
    with here.database.reading() as books:
        return read_checkout(books, key, user)


def follow_up(here: Office) -> int:
    """
    Find out what became of payments by hand that have no answer, and queue the mails that tell.

    Returns how many mails are new. The office's collecting does the same for all payments; here
    it is done each minute, because somebody waits before the page.
    """
    abandon_dead_checkouts(here.database, here.due_now())
    try:
        look_up_due(
            here.database, here.gateway, terms_of(here), here.due_now, kind=PaymentKind.CHECKOUT
        )
    except GatewayMisuse as misuse:
        LOG.error("the gateway says that we ask wrongly: %s", misuse)
    return queue_checkout_mails(here.database, notifying_of(here, here.due_now())).queued
