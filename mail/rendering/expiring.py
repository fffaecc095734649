"""The facts of the mail that a card is soon no good, and its letter."""

from __future__ import annotations

from typing import Any

from database.books import Database
from database.queries.portal.paying_cards import PayingCard, read_paying_cards
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.identity import mailbox_of
from domain.payments import MethodKind, PaymentState
from mail.letters.access import PortalLinks
from mail.letters.bill import AnnouncedDraw
from mail.letters.notices import MethodExpiring
from mail.outbox.deliveries import Delivery
from mail.rendering.notice_facts import NoticeFacts
from mail.rendering.readers import name_of_reader

_NOT_SO = "autopay draws from no such card of this mailbox"


def to_expiring_letter(
    database: Database,
    row: Delivery,
    facts: NoticeFacts,
    common: dict[str, Any],
    links: PortalLinks,
) -> MethodExpiring:
    """
    Return what its owner reads of a card that is soon no good; nobody else has such a letter.

    Raises PermanentFailure where it is no longer so: the card was removed, or pays nothing now.
    """
    with database.reading() as books:
        cards = read_paying_cards(books, mailbox=mailbox_of(row.address))
        card = next((one for one in cards if _is_about(row, one)), None)
        if card is None:
            raise PermanentFailure(_NOT_SO)
        common = common | {"customer": name_of_reader(books, row, facts)}
    numbers = tuple(one.number for one in card.accounts)
    if len(numbers) > 1:
        common |= {"service_address": ""}
    elif numbers != (row.account,):  # another of its accounts is the only one left
        common |= {"account": numbers[0], "service_address": ""}
    is_this_one = facts.method is MethodKind.CARD and facts.last4 == card.last4
    return MethodExpiring(
        **common,
        method=MethodKind.CARD,
        last4=card.last4,
        brand=card.brand,
        expires_on=card.expires_on,
        draw=_draw(facts) if is_this_one and numbers == (row.account,) else None,
        lines=numbers if len(numbers) > 1 else (),
        link=links.to("/wallet") if links.url else "",
    )


def _is_about(row: Delivery, card: PayingCard) -> bool:
    """Tell whether it is the card's; a look, which is recorded nowhere, is at an account's."""
    if row.key.startswith(f"{MessageKind.METHOD_EXPIRING}/"):
        return card.about == row.about
    return row.account_key in (one.key for one in card.accounts)


def _draw(facts: NoticeFacts) -> AnnouncedDraw | None:
    payment = facts.payment
    if payment is None or payment.state is not PaymentState.SCHEDULED:
        return None
    return AnnouncedDraw(payment.amount, payment.pay_on, facts.method, facts.last4, facts.brand)
