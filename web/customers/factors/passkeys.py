"""Passkeys: added and removed in the own account, and a way to sign in by themselves."""

from __future__ import annotations

from starlette.responses import Response

from identity.attempts.counting import count_bad, record_attempt
from identity.factors.passkeys import (
    RelyingParty,
    add_passkey,
    begin_adding,
    begin_sign_in,
    passkeys_of,
    remove_passkey,
    sign_in_by_passkey,
)
from identity.signing_in import HOUR, NETWORK_MOST
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import own_path
from web.customers.factors.confirming import find_password_problem
from web.customers.factors.letting_in import let_in, party_of, told_of
from web.layout import missing, show
from web.visits import Visit, redirect

NOT_MADE = "No passkey was added: the browser or the device did not make one. Please try again."
NOT_YOURS = "That passkey opens nothing here. Sign in with your password, or try again."
DONE = {"added": "Your passkey was added.", "removed": "The passkey was removed."}


def show_passkeys(visit: Visit, status: int = 200, **values: object) -> Response:
    with visit.office.database.reading() as books:
        mine = passkeys_of(books, visit.user.number)
    done = DONE.get(visit.request.query_params.get("done", ""), "")
    given = {"passkeys": mine, "done": done, "offered": party_of(visit) is not None, **values}
    return show(visit, "passkeys.html", status, zone=visit.zone, **given)


def take_begin(visit: Visit) -> Response:
    """Show the button by which the browser makes a passkey, once the password was right."""
    party = party_of(visit)
    if party is None:
        return missing(visit)
    status, problems = find_password_problem(visit)
    if problems:
        return show_passkeys(visit, status, problems=problems)
    with visit.office.database.writing() as books:
        options = begin_adding(books, party, visit.user, visit.now)
    return show(visit, "passkey-add.html", options=options, label=visit.text("label"))


def take_added(visit: Visit) -> Response:
    party, user = party_of(visit), visit.user.number
    if party is None:
        return missing(visit)
    office = visit.office
    with office.database.writing() as books:
        label = visit.text("label")
        good = add_passkey(books, party, visit.user, visit.form, label, visit.now)
        if good:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not good:
        return show_passkeys(visit, 422, problems={"": visit.say(NOT_MADE)})
    visit.wake_mail()
    return redirect("/account/passkeys?done=added")


def take_removing(visit: Visit) -> Response:
    """Remove one of the visitor's own passkeys, once the password was right."""
    status, problems = find_password_problem(visit)
    if problems:
        return show_passkeys(visit, status, problems=problems)
    number = visit.text("number")
    office, user = visit.office, visit.user.number
    with office.database.writing() as books:
        gone = number.isdecimal() and len(number) < 18
        gone = gone and remove_passkey(books, user, int(number), visit.now)
        if gone:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not gone:
        return missing(visit)
    visit.wake_mail()
    return redirect("/account/passkeys?done=removed")


def begin_signing_in(visit: Visit) -> Response:
    """Show the button by which the browser answers with a passkey."""
    party = party_of(visit)
    if party is None:
        return missing(visit)
    return _ask(visit, party, own_path(visit.form.get("next", "/")), 200, {})


def take_signing_in(visit: Visit) -> Response:
    """Let in whoever's passkey has answered; all that is wrong gets one sentence."""
    party, leads_to = party_of(visit), own_path(visit.form.get("next", "/"))
    if party is None:
        return missing(visit)
    user = None
    with visit.office.database.writing() as books:
        bad = count_bad(books, "passkey", [visit.network], visit.now, HOUR)
        if bad < NETWORK_MOST:
            user = sign_in_by_passkey(books, party, visit.form, visit.now)
            record_attempt(books, "passkey", [visit.network], visit.now, good=user is not None)
    if user is None:
        return _ask(visit, party, leads_to, 422, {"": visit.say(NOT_YOURS)})
    return let_in(visit, user, leads_to, is_proved=True)


def _ask(
    visit: Visit, party: RelyingParty, leads_to: str, status: int, problems: dict[str, str]
) -> Response:
    with visit.office.database.writing() as books:
        options = begin_sign_in(books, party, visit.now)
    return show(
        visit, "passkey-sign-in.html", status, options=options, next=leads_to, problems=problems
    )
