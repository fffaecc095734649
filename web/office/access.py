"""Staff sign in: a password by a one-time link, then the code of a phone."""

from __future__ import annotations

import segno
from starlette.responses import Response

from database.audit import record_audit
from domain.failures import TemporaryFailure
from identity.factors.phone_codes import (
    PhoneCodes,
    new_phone_key,
    of_staff,
    prepare_code,
    take_code,
)
from identity.one_time_links import find_link
from identity.sessions import begin_session, end_session
from identity.staff import SETS_STAFF_PASSWORD, address_of_staff, choose_staff_password
from identity.staff_sign_in import sign_in_staff
from office.secrets.files import secret_for
from rules.portal_access import find_password_fault, own_path
from web.layout import newest_utility_name, show
from web.visits import (
    STAFF_COOKIE,
    Visit,
    clear_session,
    cookie_name,
    passwords_of,
    redirect,
    set_session,
    staff_visit,
)

BUSY = "Very many people sign in at this moment. Please try again in a minute."
NOT_YOU = (
    "That e-mail address and password do not go together, or the password is locked: then ask "
    "whoever keeps these pages for another link."
)
NOT_THE_CODE = (
    "That is not the code of this moment, or it was used already. Wait for the next one; after "
    "five wrong ones no code is taken for a quarter of an hour."
)


def show_password(visit: Visit) -> Response:
    """Show where a password is chosen; neither GET nor HEAD uses the link up."""
    return _ask_password(visit, 200, {})


def _ask_password(visit: Visit, status: int, problems: dict[str, str]) -> Response:
    with visit.office.database.reading() as books:
        link = find_link(books, visit.path("token"), SETS_STAFF_PASSWORD, visit.now)
        address = address_of_staff(books, link.staff_number or 0) if link else None
    if address is None:
        return show(visit, "staff-link-over.html", 410)
    return show(visit, "staff-password.html", status, address=address, problems=problems)


def take_password(visit: Visit) -> Response:
    """Set the password that was chosen behind a one-time link."""
    password = visit.form.get("password", "")
    problems: dict[str, str] = {}
    fault = find_password_fault(password, newest_utility_name(visit))
    if fault:
        problems["password"] = fault
    elif password != visit.form.get("again", ""):
        problems["again"] = "The two passwords are not the same."
    if problems:
        return _ask_password(visit, 422, problems)
    office = visit.office
    try:
        number = choose_staff_password(
            office.database, passwords_of(visit), visit.path("token"), password, visit.now
        )
    except TemporaryFailure:
        return _ask_password(visit, 429, {"": BUSY})
    if number is None:
        return show(visit, "staff-link-over.html", 410)
    return redirect("/office/sign-in?done=password")


def show_sign_in(visit: Visit) -> Response:
    done = _DONE.get(visit.request.query_params.get("done", ""), "")
    leads_to = _office_path(visit, visit.request.query_params.get("next", ""))
    return show(visit, "staff-sign-in.html", done=done, next=leads_to)


def take_sign_in(visit: Visit) -> Response:
    """Begin a session; where codes are asked for, it opens nothing until one was right."""
    office, leads_to = visit.office, _office_path(visit, visit.form.get("next", ""))
    again = {"done": "", "next": leads_to}
    try:
        number = sign_in_staff(
            office.database,
            passwords_of(visit),
            visit.text("email"),
            visit.form.get("password", ""),
            visit.now,
            network=visit.network,
        )
    except TemporaryFailure:
        return show(visit, "staff-sign-in.html", 429, problems={"": BUSY}, **again)
    if number is None:
        return show(visit, "staff-sign-in.html", 422, problems={"email": NOT_YOU}, **again)
    needs_code = office.settings.web.asks_staff_for_codes
    with office.database.writing() as books:
        if needs_code:
            prepare_code(books, of_staff(number), visit.now)
        token = begin_session(
            books, visit.now, staff_number=number, replaces=_token(visit), needs_code=needs_code
        )
    response = redirect(f"/office/code?next={leads_to}" if needs_code else leads_to)
    set_session(office, response, token, STAFF_COOKIE)
    return response


def show_code(visit: Visit) -> Response:
    """Ask for the code; the first time with the picture that a phone learns it by."""
    leads_to = _office_path(visit, visit.request.query_params.get("next", ""))
    if not visit.user.needs_code:  # who goes back to it is in already
        return redirect(leads_to)
    return _code_page(visit, leads_to, {})


def take_code_typed(visit: Visit) -> Response:
    """Open the session under a new token once the code is right (each code counts once)."""
    office, leads_to = visit.office, _office_path(visit, visit.form.get("next", ""))
    if not visit.user.needs_code:
        return redirect(leads_to)
    with office.database.writing() as books:
        good = take_code(
            books,
            _codes(visit),
            of_staff(visit.user.number),
            visit.text("code"),
            visit.now,
            office.clock.wall(),
        )
        token = ""
        if good:
            token = begin_session(
                books, visit.now, staff_number=visit.user.number, replaces=_token(visit)
            )
        else:
            record_audit(books, visit.now, visit.user.who, "code refused", visit.user.who)
    if not token:
        return _code_page(visit, leads_to, {"code": NOT_THE_CODE}, 422)
    response = redirect(leads_to)
    set_session(office, response, token, STAFF_COOKIE)
    return response


def sign_out(visit: Visit) -> Response:
    """End the session that this browser has, though the form may be of one before."""
    session = staff_visit(visit.request, {}).session
    if session is not None:
        with visit.office.database.writing() as books:
            end_session(books, session.token_sha256, visit.now)
    response = redirect("/office/sign-in?done=out")
    clear_session(visit.office, response, STAFF_COOKIE)
    return response


def _code_page(
    visit: Visit, leads_to: str, problems: dict[str, str], status: int = 200
) -> Response:
    with visit.office.database.reading() as books:
        key = new_phone_key(books, of_staff(visit.user.number))
    picture = secret = ""
    if key:
        secret = _codes(visit).phone_secret(key)
        issuer = f"{newest_utility_name(visit)} billing office".strip()
        address = _codes(visit).address(key, visit.user.address, issuer)
        picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4)
    return show(
        visit,
        "staff-code.html",
        status,
        problems=problems,
        next=leads_to,
        picture=picture,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    )


def _codes(visit: Visit) -> PhoneCodes:
    return PhoneCodes(secret_for(visit.office.home, "staff-codes"))


def _token(visit: Visit) -> str:
    return visit.request.cookies.get(cookie_name(visit.office, STAFF_COOKIE), "")


def _office_path(visit: Visit, path: str) -> str:
    """Return a path of the office's own pages or of the console, a start page for all else."""
    begin = "/office" if "office" in visit.office.settings.web.serves else "/csr"
    own = own_path(path) if path else begin
    inside = own in ("/office", "/csr") or own.startswith(("/office/", "/csr/", "/csr?"))
    return own if inside and ".." not in own else begin


_DONE = {
    "password": "Your new password is set. You can sign in now.",
    "out": "You are signed out.",
}
