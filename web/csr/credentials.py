"""Mails that let a customer in, recovery codes, usernames (rules 144-155)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Refused
from domain.identity import PortalUser
from identity.customer_service.inviting import send_access_mail
from identity.customer_service.recovery import make_recovery_code, revoke_recovery_code
from identity.customer_service.usernames import clear_sign_in, set_username
from office.procedures.mailing.portal_mail import queue_portal_mails
from web.csr.console import show_customer_information
from web.csr.layout import back, person_of, problem_of, show_person, unknown
from web.visits import Visit


def send_mail(visit: Visit) -> Response:
    """Send the one mail that the state allows (rule 148); where it is locked, none (rule 154)."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    office = visit.office
    try:
        with office.database.writing() as books:
            mail = send_access_mail(books, office.link_tokens, person, visit.user.who, visit.now)
            queue_portal_mails(office, books, [mail])
    except Refused as refusal:
        return show_customer_information(visit, problem_of(refusal), 409)
    visit.wake_mail()
    return back(person, "mail")


def make_code(visit: Visit) -> Response:
    """Make a recovery code; the page shows it, to be read out and read back (rule 155)."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    office = visit.office
    try:
        with office.database.writing() as books:
            make_recovery_code(books, office.link_tokens, person.number, visit.user.who, visit.now)
    except Refused as refusal:
        return show_customer_information(visit, problem_of(refusal), 409)
    return back(person, "code")


def revoke_code(visit: Visit) -> Response:
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    with visit.office.database.writing() as books:
        revoke_recovery_code(books, person.number, visit.user.who, visit.now)
    return back(person, "revoked")


def take_username(visit: Visit) -> Response:
    """Set or change a username; one that is taken is told (rules 149, 150)."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    try:
        with visit.office.database.writing() as books:
            set_username(books, person.number, visit.text("username"), visit.user.who, visit.now)
    except Refused as refusal:
        return show_customer_information(visit, problem_of(refusal, "username"), 422)
    return back(person, "username")


def ask_clear(visit: Visit) -> Response:
    person = person_of(visit)
    return unknown(visit) if person is None else _clear_page(visit, person)


def take_clear(visit: Visit) -> Response:
    """Clear username and password, so that credentials are created anew (rule 149)."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    with visit.office.database.writing() as books:
        clear_sign_in(books, person.number, visit.user.who, visit.now)
    return back(person, "cleared")


def _clear_page(visit: Visit, person: PortalUser) -> Response:
    return show_person(visit, person, "csr-clear.html")
