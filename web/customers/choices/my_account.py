"""The visitor's own account: contact, password, phone, language, sessions (rules 43, 208)."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.responses import Response

from database.definitions.identity import web_session, web_user
from database.queries.portal.accounts import newest_account
from domain.failures import TemporaryFailure
from identity.activity import record_activity
from identity.sessions import begin_session, end_all_sessions
from identity.users import set_password
from office.equipment.texts import are_texts_offered
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import find_password_fault
from web.customers.accounts import my_accounts
from web.customers.factors.confirming import BUSY, find_password_problem
from web.customers.factors.letting_in import told_of
from web.layout import newest_utility_name, show
from web.visits import Visit, passwords_of, redirect, set_session

DONE = {
    "address": "You sign in with the new address from now on. Everywhere else you are signed out.",
    "kept": "You sign in with the address that you have, as before.",
    "password": "Your password is changed. Everywhere else you are signed out.",
    "phone": "Your phone number is saved.",
    "sessions": "You are signed out everywhere else.",
}
PHONE = "Enter a phone number with its area code, or leave it empty."


def show_my_account(visit: Visit, status: int = 200, **values: object) -> Response:
    """Show what the office alone changes (rule 164), and what the visitor does."""
    user, sessions = visit.user.number, web_session.c
    with visit.office.database.reading() as books:
        phone = books.scalar(sa.select(web_user.c.phone).where(web_user.c.number == user))
        version = sa.select(web_user.c.version).where(web_user.c.number == user)
        open_ones = books.execute(
            sa.select(sessions.token_sha256, sessions.made_at, sessions.seen_at)
            .where(
                sessions.user_number == user,
                sessions.ended_at.is_(None),
                sessions.expires_at > visit.now,
                sessions.version == version.scalar_subquery(),
            )
            .order_by(sessions.seen_at.desc())
        ).all()
        mine = my_accounts(visit)
        known = [newest_account(books, one.account_key) for one in mine if not one.is_landlords]
    given = {
        "phone": phone,
        "has_providers": bool(visit.office.identity_providers),
        "texts_offered": are_texts_offered(visit.office),
        "contacts": [one for one in known if one is not None],
        "open_sessions": [
            (
                row.token_sha256 == visit.user.token_sha256,
                row.made_at.astimezone(visit.zone),
                row.seen_at.astimezone(visit.zone),
            )
            for row in open_ones
        ],
        "done": DONE.get(visit.request.query_params.get("done", ""), ""),
        **values,
    }
    return show(visit, "my-account.html", status, **given)


def take_new_password(visit: Visit) -> Response:
    """Change the password for whoever knows it; every other session ends (rules 143-145)."""
    office, user = visit.office, visit.user
    chosen, problems = visit.form.get("password", ""), dict[str, str]()
    fault = find_password_fault(chosen, newest_utility_name(visit), user.address.partition("@")[0])
    if fault:
        problems["password"] = visit.say(fault)
    elif chosen != visit.form.get("again", ""):
        problems["again"] = visit.say("The two passwords are not the same.")
    status, wrong = find_password_problem(visit)
    problems = wrong | problems
    if problems:
        return show_my_account(visit, max(status, 422), problems=problems)
    try:
        new = passwords_of(visit).to_hash(chosen)
    except TemporaryFailure:
        return show_my_account(visit, 429, problems={"": visit.say(BUSY)})
    with office.database.writing() as books:
        set_password(books, user.number, new, visit.now)
        record_activity(books, user.number, "password changed", visit.now)
        queue_portal_mails(office, books, told_of(books, user.number, "new-sign-in"))
        token = begin_session(books, visit.now, user=user.number)
    visit.wake_mail()
    answer = redirect("/account?done=password")
    set_session(office, answer, token)
    return answer


def take_phone(visit: Visit) -> Response:
    """Keep a number for texts, digits alone; none is fine (rules 103, 121)."""
    said = visit.text("phone")
    digits = "".join(filter(str.isdigit, said))
    if said and not 10 <= len(digits) <= 15:
        return show_my_account(visit, 422, problems={"phone": visit.say(PHONE)})
    user = visit.user.number
    with visit.office.database.writing() as books:
        books.execute(web_user.update().where(web_user.c.number == user).values(phone=digits))
        record_activity(books, user, "phone changed" if digits else "phone removed", visit.now)
    return redirect("/account?done=phone")


def end_other_sessions(visit: Visit) -> Response:
    """End every session, and begin a new one for this browser alone."""
    user = visit.user.number
    with visit.office.database.writing() as books:
        end_all_sessions(books, user)
        record_activity(books, user, "sessions ended", visit.now)
        token = begin_session(books, visit.now, user=user)
    answer = redirect("/account?done=sessions")
    set_session(visit.office, answer, token)
    return answer
