"""The code of a phone as second step: set up, asked for, switched off."""

from __future__ import annotations

import segno
from starlette.responses import Response

from identity.factors.phone_codes import forget_phone, has_phone, new_phone_key, of_user
from identity.factors.phone_codes import prepare_code as prepare
from identity.factors.second_step import (
    spare_codes_left,
    take_second_step,
    turn_off,
    turn_on,
)
from identity.sessions import end_all_sessions, end_session
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import own_path
from web.customers.factors.confirming import find_password_problem
from web.customers.factors.letting_in import codes_of, let_in, told_of
from web.layout import newest_utility_name, show
from web.visits import Visit, clear_session, redirect

NOT_THE_CODE = (
    "That is not the code of this moment, or it was used already. Wait for the next one; after "
    "five wrong ones no code is taken for a quarter of an hour."
)


def show_code(visit: Visit) -> Response:
    """Ask for the code, or for a spare one; the password alone has opened nothing."""
    leads_to = own_path(visit.request.query_params.get("next", "/"))
    return show(visit, "sign-in-code.html", next=leads_to)


def take_code(visit: Visit) -> Response:
    """Let in whoever has the code, under a new token."""
    leads_to = own_path(visit.form.get("next", "/"))
    office, user = visit.office, visit.user.number
    with office.database.writing() as books:
        good = take_second_step(
            books, codes_of(visit), user, visit.text("code"), visit.now, office.clock.wall()
        )
    if good:
        return let_in(visit, user, leads_to, is_proved=True)
    problems = {"code": visit.say(NOT_THE_CODE)}
    return show(visit, "sign-in-code.html", 422, next=leads_to, problems=problems)


def leave(visit: Visit) -> Response:
    """End a sign-in that has no code to give."""
    with visit.office.database.writing() as books:
        end_session(books, visit.user.token_sha256, visit.now)
    response = redirect("/sign-in")
    clear_session(visit.office, response)
    return response


def show_two_step(visit: Visit, status: int = 200, **values: object) -> Response:
    """Show whether codes are asked for; the way there begins with the password."""
    with visit.office.database.reading() as books:
        is_on = has_phone(books, of_user(visit.user.number))
        left = spare_codes_left(books, visit.user.number) if is_on else 0
    return show(visit, "two-step.html", status, is_on=is_on, left=left, **values)


def begin(visit: Visit) -> Response:
    """Show the picture that a phone learns the codes by, once the password was right."""
    status, problems = find_password_problem(visit)
    if problems:
        return show_two_step(visit, status, problems=problems)
    owner = of_user(visit.user.number)
    with visit.office.database.writing() as books:
        if has_phone(books, owner):
            return redirect("/account/two-step")
        forget_phone(books, owner)  # a picture that was shown and not used shows nothing any more
        prepare(books, owner, visit.now)
    return _picture(visit, 200, {})


def confirm(visit: Visit) -> Response:
    """Ask for codes from now on, once the phone has shown that it knows them."""
    office, user = visit.office, visit.user.number
    with office.database.writing() as books:
        spare = turn_on(
            books, codes_of(visit), user, visit.text("code"), visit.now, office.clock.wall()
        )
        if spare:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not spare:
        with office.database.reading() as books:
            is_begun = bool(new_phone_key(books, of_user(user)))
        if not is_begun:
            return redirect("/account/two-step")
        return _picture(visit, 422, {"code": visit.say(NOT_THE_CODE)})
    visit.wake_mail()
    return show(visit, "spare-codes.html", spare=spare)


def stop(visit: Visit) -> Response:
    """Ask for no codes any more; everywhere else the sessions end."""
    status, problems = find_password_problem(visit)
    if problems:
        return show_two_step(visit, status, problems=problems)
    office, user = visit.office, visit.user.number
    with office.database.writing() as books:
        turn_off(books, user, visit.now)
        end_all_sessions(books, user)
        queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    visit.wake_mail()
    return let_in(visit, user, "/account/two-step", is_proved=True)


def _picture(visit: Visit, status: int, problems: dict[str, str]) -> Response:
    with visit.office.database.reading() as books:
        key = new_phone_key(books, of_user(visit.user.number))
    codes, issuer = codes_of(visit), newest_utility_name(visit)
    secret = codes.phone_secret(key)
    picture = segno.make(codes.address(key, visit.user.address, issuer), error="m")
    return show(
        visit,
        "two-step-picture.html",
        status,
        problems=problems,
        picture=picture.svg_data_uri(scale=5, border=4),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    )
