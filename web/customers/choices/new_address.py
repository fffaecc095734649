"""Another address to sign in with: asked for, proved by a link or six digits, and stopped."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from domain.failures import Refused
from domain.identity import mailbox_of
from identity.attempts.counting import count_bad, record_attempt
from identity.factors.passkeys import begin_confirming, confirm_by_passkey, passkeys_of
from identity.new_address import (
    STOPS,
    AddressChanged,
    ask_for_address,
    find_asked,
    find_wanted,
    give_up_address,
    prove_by_code,
    prove_by_link,
    settles_until,
    stop_address,
)
from identity.one_time_links import find_link
from identity.sessions import begin_session
from identity.signing_in import HOUR, NETWORK_MOST
from identity.tokens import CODE_DIGITS
from identity.users import has_password
from office.procedures.mailing.portal_mail import queue_portal_mails
from web.customers.factors.addresses import read_address
from web.customers.factors.confirming import MOST_WRONG, TOO_OFTEN, find_password_problem
from web.customers.factors.letting_in import party_of
from web.layout import missing, show
from web.visits import Visit, clear_session, redirect, set_session

SAME = "That is the address that you sign in with now."
TOO_MANY = "You asked for other addresses very often. Please try again in 24 hours."
NOT_YOURS = "That passkey is none of yours here. Try again, or enter your password."
WRONG_CODE = (
    "That is not the code of our newest message, or its time is over. After five wrong codes "
    "another message is needed."
)
SIX_DIGITS = "Enter the six digits that stand in our message."


def show_asking(
    visit: Visit, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    """Ask for the new address, and for the password or a passkey once more (ASVS 5.0, V7.5.1)."""
    user = visit.user.number
    with visit.office.database.reading() as books:
        settles = settles_until(books, user, visit.now)
        has_keys = party_of(visit) is not None and bool(passkeys_of(books, user))
        given = {"has_password": has_password(books, user), "has_passkeys": has_keys}
    return show(
        visit,
        "new-address.html",
        status,
        problems=problems or {},
        settles=settles.astimezone(visit.zone) if settles else None,
        **given,
    )


def ask_passkey(visit: Visit) -> Response:
    """Show the button by which the browser answers with a passkey, in place of the password."""
    party, (address, problems) = party_of(visit), _address(visit)
    if party is None:
        return missing(visit)
    if problems:
        return show_asking(visit, 422, problems)
    with visit.office.database.writing() as books:
        options = begin_confirming(books, party, visit.user.number, visit.now)
    return show(visit, "new-address-passkey.html", options=options, address=address)


def take_asking(visit: Visit) -> Response:
    """Write to both addresses, once the password or the passkey was right."""
    address, problems = _address(visit)
    status, wrong = _confirm(visit)
    if wrong or problems:
        return show_asking(visit, max(status, 422), wrong | problems)
    office, user = visit.office, visit.user.number
    try:
        with office.database.writing() as books:
            mails = ask_for_address(books, office.link_tokens, user, address, visit.now)
            queue_portal_mails(office, books, mails)
    except Refused as refused:
        if refused.code != "too-many":
            return show_asking(visit, 409)  # which says until when the last change keeps others out
        return show_asking(visit, 429, {"": visit.say(TOO_MANY)})
    visit.wake_mail()
    return redirect("/account/address/code")


def show_code(visit: Visit, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    """Ask for the six digits; where nothing was asked for, ask for the address."""
    with visit.office.database.reading() as books:
        address = find_asked(books, visit.user.number, visit.now)
    if address is None:
        return show_asking(visit, status, problems) if problems else redirect("/account/address")
    return show(visit, "new-address-code.html", status, address=address, problems=problems or {})


def take_code(visit: Visit) -> Response:
    """Change the address by the six digits that went to the new one."""
    if len("".join(filter(str.isdigit, visit.text("code")))) != CODE_DIGITS:
        return show_code(visit, 422, {"code": visit.say(SIX_DIGITS)})
    tokens, user, code = visit.office.link_tokens, visit.user.number, visit.text("code")
    changed = _prove(visit, lambda books: prove_by_code(books, tokens, user, code, visit.now))
    if changed is None:
        wrong = visit.say(WRONG_CODE)
        with visit.office.database.reading() as books:
            is_asked = find_asked(books, user, visit.now) is not None
        return show_code(visit, 422, {"code" if is_asked else "": wrong})
    return _changed(visit, changed)


def take_giving_up(visit: Visit) -> Response:
    with visit.office.database.writing() as books:
        give_up_address(books, visit.user.number, visit.now)
    return redirect("/account?done=kept")


def show_proving(visit: Visit) -> Response:
    """Show the button of the link that went to the new address; looking changes nothing."""
    with visit.office.database.reading() as books:
        address = find_wanted(books, visit.path("token"), visit.now)
    if address is None:
        return show(visit, "link-over.html", 410)
    return show(visit, "new-address-press.html", address=address)


def press_proving(visit: Visit) -> Response:
    token = visit.path("token")
    changed = _prove(visit, lambda books: prove_by_link(books, token, visit.now))
    return _changed(visit, changed) if changed else show(visit, "link-over.html", 410)


def show_stopping(visit: Visit) -> Response:
    """Show the button of the link that went to the address so far; looking changes nothing."""
    with visit.office.database.reading() as books:
        link = find_link(books, visit.path("token"), STOPS, visit.now)
    return show(visit, "stop-address.html") if link else show(visit, "link-over.html", 410)


def press_stopping(visit: Visit) -> Response:
    """Stop the change, or take it back, and lead to the page of a new password."""
    office = visit.office
    with office.database.writing() as books:
        stopped = stop_address(books, office.link_tokens, visit.path("token"), visit.now)
    if stopped is None:
        return show(visit, "link-over.html", 410)
    answer = redirect(f"/reset/{stopped.reset}" if stopped.reset else "/sign-in?done=stopped")
    clear_session(office, answer)
    return answer


def _prove(
    visit: Visit, prove: Callable[[Connection], AddressChanged | None]
) -> AddressChanged | None:
    """Change the address with the mails that tell of it, in one transaction."""
    try:
        with visit.office.database.writing() as books:
            changed = prove(books)
            if changed:
                queue_portal_mails(visit.office, books, changed.mails)
            return changed
    except IntegrityError:  # that mailbox became somebody else's in this very moment
        return None


def _changed(visit: Visit, changed: AddressChanged) -> Response:
    """Go on in the browser of whoever changed it; every other session has ended."""
    visit.wake_mail()
    if visit.session is None or visit.session.number != changed.user:
        return redirect("/sign-in?done=address")
    with visit.office.database.writing() as books:
        token = begin_session(books, visit.now, user=changed.user)
    answer = redirect("/account?done=address")
    set_session(visit.office, answer, token)
    return answer


def _address(visit: Visit) -> tuple[str, dict[str, str]]:
    """Return the address as it is written to, or what is wrong with it."""
    problems: dict[str, str] = {}
    found = read_address(visit, problems)
    if found and mailbox_of(found) == mailbox_of(visit.user.address):
        return "", {"email": visit.say(SAME)}
    return found, problems


def _confirm(visit: Visit) -> tuple[int, dict[str, str]]:
    """Check the password, or the passkey that answered in its place; counted alike."""
    party = party_of(visit)
    if not visit.form.get("signature") or party is None:
        return find_password_problem(visit)
    subjects = [f"user/{visit.user.number}"]
    with visit.office.database.writing() as books:
        if count_bad(books, "password", subjects, visit.now, HOUR) >= MOST_WRONG:
            return 429, {"": visit.say(TOO_OFTEN)}
        if count_bad(books, "passkey", [visit.network], visit.now, HOUR) >= NETWORK_MOST:
            return 429, {"": visit.say(TOO_OFTEN)}
        good = confirm_by_passkey(books, party, visit.user.number, visit.form, visit.now)
        record_attempt(books, "password", subjects, visit.now, good=good)
        record_attempt(books, "passkey", [visit.network], visit.now, good=good)
    return (200, {}) if good else (422, {"": visit.say(NOT_YOURS)})
