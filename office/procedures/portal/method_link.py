"""A one-time link by which a customer adds a payment method while the office waits (rule 64)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Connection

from database.audit import record_audit
from domain.deliveries import MessageKind
from domain.failures import Refused
from domain.identity import LinkKind, PortalMail, PortalUser, UserState
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.customer_service.inviting import ADDRESS_LEFT
from identity.one_time_links import OneTimeLink, find_link, make_link
from identity.users import find_by_mailbox, find_user, is_left_lately, make_user
from mail.rendering.texts import ADD_METHOD
from mail.texts.readers import TextReader, is_stopped, reader_of
from mail.texts.recording import PlannedText, queue_texts
from office.equipment.office import Office
from office.equipment.texts import are_texts_offered
from office.procedures.mailing.portal_mail import queue_portal_mails
from office.procedures.portal.method_capture import SHUT_OUT, begin_link_capture

ADDS_METHOD = frozenset({LinkKind.ADD_METHOD})
DAY = timedelta(days=1)
MOST_LINKS = 10  # a day to one portal user: nobody is pestered


def may_be_texted(office: Office, user: int) -> bool:
    """Tell whether a link may go to the phone that a portal user has proved, and reads texts on."""
    if not are_texts_offered(office):
        return False
    with office.database.reading() as books:
        return _phone_of(books, user) is not None


def send_method_link(
    office: Office, account: str, account_key: str, address: str, *, texted: bool = False
) -> int:
    """
    Queue a link that leads to the gateway's page; return the number of whose wallet it fills.

    An address that nobody has becomes an invited portal user, linked to no account. A text goes
    to the phone that its owner has proved, and to no typed one: a method must not come into a
    stranger's wallet. Raises Refused where that is none, where the portal user is locked, and
    where too many were sent.
    """
    now = office.due_now()
    with office.database.writing() as books:
        user = _owner(office, books, address)
        reader = _phone_of(books, user.number) if texted else None
        if texted and (reader is None or not are_texts_offered(office)):
            raise Refused("no-phone", "That portal user reads no texts; mail the link instead.")
        subject = [f"user/{user.number}"]
        if count_bad(books, "add-method", subject, now, DAY) >= MOST_LINKS:
            raise Refused("too-many", f"{MOST_LINKS} links were sent there today; that is enough.")
        record_attempt(books, "add-method", subject, now, good=False)
        key = make_link(
            books,
            office.link_tokens,
            LinkKind.ADD_METHOD,
            now,
            user=user.number,
            about=account_key,
        )
        if reader is None:
            mail = PortalMail(ADD_METHOD, user.address, user.number, key, account)
            queue_portal_mails(office, books, [mail])
        else:
            form = PlannedText(MessageKind.ACCESS, key, reader, user.mailbox, form=ADD_METHOD)
            queue_texts(books, [form], now)
        way = "texted" if texted else "mailed"
        act = f"{way} a link to add a payment method"
        record_activity(books, user.number, act, now, account_key=account_key, by=office.who)
        record_audit(books, now, office.who, "send method link", account, f"{way} to {user.who}")
    return user.number


def begin_capture_by_link(office: Office, token: str) -> str | None:
    """
    Return the gateway's page for whoever holds a link; None: it is over.

    The link stays good until a method was added. Raises like `begin_capture`.
    """
    link, user = find_method_link(office, token)
    return None if link is None or user is None else begin_link_capture(office, user, link.key)


def find_method_link(office: Office, token: str) -> tuple[OneTimeLink | None, PortalUser | None]:
    """Return a link while it is good, and whose wallet it fills; looking changes nothing."""
    with office.database.reading() as books:
        link = find_link(books, token, ADDS_METHOD, office.due_now())
        user = find_user(books, link.user) if link and link.user is not None else None
    if user is None or user.state in SHUT_OUT:
        return None, None
    return link, user


def _owner(office: Office, books: Connection, address: str) -> PortalUser:
    user = find_by_mailbox(books, address)
    if user is None:
        now = office.due_now()
        if is_left_lately(books, address, now):
            raise Refused("address-left", ADDRESS_LEFT)
        user = find_user(books, make_user(books, address, now, UserState.INVITED))
        assert user is not None
        record_audit(books, now, office.who, "make portal user", user.who, "for a payment method")
    if user.state in SHUT_OUT:
        raise Refused(
            "locked-already", "That address belongs to a portal account that is locked or deleted."
        )
    return user


def _phone_of(books: Connection, user: int) -> TextReader | None:
    reader = reader_of(books, user)
    return None if reader is None or is_stopped(books, reader.phone) else reader
