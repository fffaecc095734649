"""Registering, signing in and out, and a password forgotten (rules 139-145, 150-157, 165)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import TemporaryFailure
from domain.identity import LINK_HOURS, LinkKind, PortalMail
from identity.account_links import unlink_by_mail
from identity.attempts.counting import count_bad, record_attempt
from identity.one_time_links import OneTimeLink, find_link, is_used
from identity.registering import (
    SETS_PASSWORD,
    VERIFIES,
    Registration,
    choose_password,
    forgot,
    is_registered_in,
    register,
    verify,
    verify_anew,
    verify_by_code,
)
from identity.sessions import end_session
from identity.signing_in import HOUR, NETWORK_MOST, sign_in, unlock_by_link
from identity.tokens import CODE_DIGITS, new_token
from identity.users import find_user, keep_language
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import find_password_fault, own_path
from web.customers.factors.addresses import read_address
from web.customers.factors.letting_in import BROWSER_COOKIE, let_in, party_of, told_of
from web.customers.factors.outside import provider_names, with_forms_to_providers
from web.customers.robots import find_robot
from web.layout import newest_utility_name, show
from web.visits import (
    Visit,
    clear_session,
    cookie_name,
    passwords_of,
    redirect,
    set_session,
)
from web.words import LANGUAGES

REGISTERED = "registered"  # the cookie of a browser in which somebody registered
BUSY = "Very many people sign in at this moment. Please try again in a minute."
WRONG_CODE = (
    "That address and code do not go together, or the time of the code is over. Register once "
    "more for another code."
)
WAIT = "Several wrong passwords were entered. Wait %(seconds)s seconds, then try again."
NOT_YOU = "That e-mail address and password do not go together, or the password is locked."


def show_register(
    visit: Visit, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    """Ask for an address and a password, or offer an account at Google or Apple (rule 139)."""
    page = show(
        visit, "register.html", status, problems=problems or {}, providers=provider_names(visit)
    )
    return with_forms_to_providers(visit, page)


def take_registration(visit: Visit) -> Response:
    """
    Register a person; the answer is the same for a known address (rules 139, 140).

    The password is hashed in any case, so that the time tells nothing either.
    """
    problems = find_robot(visit)
    address = read_address(visit, problems)
    password = visit.form.get("password", "")
    problems |= _password_problems(visit, password, address)
    phone = _phone(visit, problems)
    if problems:
        return show_register(visit, 422, problems)
    if _is_limited(visit, "register"):
        return show_register(visit, 429, {"": visit.say(BUSY)})
    try:
        kept = passwords_of(visit).to_hash(password)
    except TemporaryFailure:
        return show_register(visit, 429, {"": visit.say(BUSY)})
    browser = new_token()
    wish = Registration(address, kept, phone, visit.language, browser)
    with visit.office.database.writing() as books:
        mail = register(books, visit.office.link_tokens, wish, visit.now)
        queue_portal_mails(visit.office, books, [mail])
    visit.wake_mail()
    response = redirect("/check-your-mail")
    set_session(visit.office, response, browser, REGISTERED, LINK_HOURS[LinkKind.VERIFY])
    return response


def check_your_mail(visit: Visit) -> Response:
    return show(visit, "check-your-mail.html")


def show_link(visit: Visit) -> Response:
    """Show the button of a one-time link; neither GET nor HEAD uses it up."""
    kinds = _KINDS[visit.request.url.path.split("/")[1]]
    with visit.office.database.reading() as books:
        link = find_link(books, visit.path("token"), kinds, visit.now)
    if link is None:
        return _link_over(visit)
    if link.kind is LinkKind.VERIFY:
        return _show_verifying(visit, link, {})
    if link.kind in SETS_PASSWORD:
        return _show_choosing(visit, {})
    return show(visit, _BUTTONS[link.kind])


def _show_choosing(visit: Visit, problems: dict[str, str], status: int = 200) -> Response:
    """Ask for a password; the address stands by, so that the browser keeps it with whose it is."""
    with visit.office.database.reading() as books:
        link = find_link(books, visit.path("token"), SETS_PASSWORD, visit.now)
        user = find_user(books, link.user or 0) if link else None
    if user is None:
        return _link_over(visit)
    return show(visit, "choose-password.html", status, address=user.address, problems=problems)


def _show_verifying(
    visit: Visit, link: OneTimeLink, problems: dict[str, str], status: int = 200
) -> Response:
    """Say whose address is verified; in a browser that did not register a password is chosen."""
    with visit.office.database.reading() as books:
        user = find_user(books, link.user or 0)
    return show(
        visit,
        "verify.html",
        status,
        address=user.address if user else "",
        chooses=not is_registered_in(link, _registered(visit)),
        problems=problems,
    )


def _registered(visit: Visit) -> str:
    """Return what this browser keeps of having registered somebody; empty: it has not."""
    return visit.request.cookies.get(cookie_name(visit.office, REGISTERED), "")


def _link_over(visit: Visit) -> Response:
    """Lead whoever opens a used link once more to the door (rule 145); others are over."""
    kinds = _KINDS[visit.request.url.path.split("/")[1]] - {LinkKind.UNLINK_ACCOUNT}
    with visit.office.database.reading() as books:
        used = is_used(books, visit.path("token"), kinds)
    return redirect("/sign-in") if used else show(visit, "link-over.html", 410)


def press_verify(visit: Visit) -> Response:
    """Verify an address; whoever did not register here chooses the password that counts."""
    token = visit.path("token")
    with visit.office.database.writing() as books:
        link = find_link(books, token, VERIFIES, visit.now)
        user = verify(books, token, visit.now, _registered(visit))
    if link is None:
        return _link_over(visit)
    return _verified(visit) if user else _verify_anew(visit, link)


def _verify_anew(visit: Visit, link: OneTimeLink) -> Response:
    """
    Verify with a new password: what somebody else may have chosen is worth nothing (rule 140).

    Else whoever registers the mailbox of somebody else would come in with them.
    """
    password = visit.form.get("password", "")
    problems = _password_problems(visit, password)
    if problems:
        return _show_verifying(visit, link, problems, 422)
    try:
        user = verify_anew(
            visit.office.database, passwords_of(visit), visit.path("token"), password, visit.now
        )
    except TemporaryFailure:
        return _show_verifying(visit, link, {"": visit.say(BUSY)}, 429)
    return _verified(visit) if user else _link_over(visit)


def _verified(visit: Visit) -> Response:
    response = redirect("/sign-in?done=verified")
    clear_session(visit.office, response, REGISTERED)
    return response


def _password_problems(visit: Visit, password: str, address: str = "") -> dict[str, str]:
    """Return what is wrong with a password that is chosen, by field."""
    fault = find_password_fault(password, newest_utility_name(visit), address.partition("@")[0])
    if fault:
        return {"password": visit.say(fault)}
    if password != visit.form.get("again", ""):
        return {"again": visit.say("The two passwords are not the same.")}
    return {}


def show_code(visit: Visit) -> Response:
    return show(visit, "verify-code.html")


def take_code(visit: Visit) -> Response:
    """Verify an address by the six digits of its mail; every failure has one answer."""
    problems: dict[str, str] = {}
    address = read_address(visit, problems)
    if len("".join(filter(str.isdigit, visit.text("code")))) != CODE_DIGITS:
        problems["code"] = visit.say("Enter the six digits that stand in our message.")
    if problems:
        return show(visit, "verify-code.html", 422, problems=problems)
    if _is_limited(visit, "code"):
        return show(visit, "verify-code.html", 429, problems={"": visit.say(BUSY)})
    with visit.office.database.writing() as books:
        tokens, code = visit.office.link_tokens, visit.text("code")
        found = verify_by_code(books, tokens, address, code, visit.now, _registered(visit))
    if found is None:
        wrong = {"code": visit.say(WRONG_CODE)}
        return show(visit, "verify-code.html", 422, problems=wrong)
    if isinstance(found, OneTimeLink):  # another browser: a password has to be chosen
        return redirect(f"/verify/{tokens.token(found.key)}")
    return _verified(visit)


def press_unlock(visit: Visit) -> Response:
    with visit.office.database.writing() as books:
        user = unlock_by_link(books, visit.path("token"), visit.now)
    return redirect("/sign-in?done=unlocked") if user else _link_over(visit)


def press_not_me(visit: Visit) -> Response:
    with visit.office.database.writing() as books:
        gone = unlink_by_mail(books, visit.path("token"), visit.now)
    return show(visit, "link-gone.html") if gone else show(visit, "link-over.html", 410)


def take_password(visit: Visit) -> Response:
    """Set the password that was chosen behind a mailed link (rules 143-145, 153, 165)."""
    password = visit.form.get("password", "")
    problems = _password_problems(visit, password)
    if problems:
        return _show_choosing(visit, problems, 422)
    office = visit.office
    try:
        user = choose_password(
            office.database, passwords_of(visit), visit.path("token"), password, visit.now
        )
    except TemporaryFailure:
        return _show_choosing(visit, {"": visit.say(BUSY)}, 429)
    if user is None:
        return _link_over(visit)
    with office.database.writing() as books:
        queue_portal_mails(office, books, told_of(books, user, "new-sign-in"))
    visit.wake_mail()
    return redirect("/sign-in?done=password")


def show_sign_in(visit: Visit) -> Response:
    done = visit.request.query_params.get("done", "")
    leads_to = own_path(visit.request.query_params.get("next", "/"))
    return _sign_in_page(visit, 200, leads_to, {}, _DONE.get(done, ""))


def _sign_in_page(
    visit: Visit, status: int, leads_to: str, problems: dict[str, str], done: str = ""
) -> Response:
    page = show(
        visit,
        "sign-in.html",
        status,
        done=done,
        next=leads_to,
        problems=problems,
        has_passkeys=party_of(visit) is not None,
        providers=provider_names(visit),
    )
    return with_forms_to_providers(visit, page)


def take_sign_in(visit: Visit) -> Response:
    """Begin a session under a new token, or say the one sentence that fits every failure."""
    office, leads_to = visit.office, own_path(visit.form.get("next", "/"))
    try:
        answer = sign_in(
            office.database,
            passwords_of(visit),
            office.link_tokens,
            visit.text("email"),
            visit.form.get("password", ""),
            visit.now,
            network=visit.network,
            browser=visit.request.cookies.get(cookie_name(office, BROWSER_COOKIE), ""),
        )
    except TemporaryFailure:
        return _sign_in_page(visit, 429, leads_to, {"": visit.say(BUSY)})
    if answer.user is not None:
        return let_in(visit, answer.user, leads_to)
    if answer.mail:
        with office.database.writing() as books:
            queue_portal_mails(office, books, [answer.mail])
        visit.wake_mail()
    if answer.wait:
        problem = {"": visit.say(WAIT, seconds=answer.wait)}
        page = _sign_in_page(visit, 429, leads_to, problem)
        page.headers["Retry-After"] = str(answer.wait)
        return page
    return _sign_in_page(visit, 422, leads_to, {"email": visit.say(NOT_YOU)})


def sign_out(visit: Visit) -> Response:
    """
    End the session that this browser has, whichever it is.

    The form may be of one before, in another tab: who presses it must not stay signed in. Forms
    of other sites are refused by what browsers send with them.
    """
    if visit.session is not None:
        with visit.office.database.writing() as books:
            end_session(books, visit.session.token_sha256, visit.now)
    response = redirect("/sign-in?done=out")
    clear_session(visit.office, response)
    return response


def show_forgot(visit: Visit) -> Response:
    return show(visit, "forgot.html")


def take_forgot(visit: Visit) -> Response:
    """Send what the state of the address allows, if anybody has it; the answer is the same."""
    problems: dict[str, str] = {}
    address = read_address(visit, problems)
    if problems:
        return show(visit, "forgot.html", 422, problems=problems)
    if _is_limited(visit, "forgot"):
        return show(visit, "forgot.html", 429, problems={"": visit.say(BUSY)})
    office = visit.office
    with office.database.writing() as books:
        mail: PortalMail | None = forgot(books, office.link_tokens, address, visit.now)
        queue_portal_mails(office, books, [mail] if mail else [])
    visit.wake_mail()
    return redirect("/check-your-mail")


def choose_language(visit: Visit) -> Response:
    """Keep the language that was chosen: in the browser, and with whoever is signed in."""
    language = visit.text("language")
    response = redirect(own_path(visit.form.get("back", "/")))
    if language in LANGUAGES:
        response.set_cookie("language", language, max_age=31_536_000, samesite="lax", httponly=True)
        if visit.session is not None:
            with visit.office.database.writing() as books:
                keep_language(books, visit.session.number, language)
    return response


def _phone(visit: Visit, problems: dict[str, str]) -> str:
    """Return a number for texts, digits alone; none is fine (rules 49, 103)."""
    said = visit.text("phone")
    digits = "".join(filter(str.isdigit, said))
    if said and not 10 <= len(digits) <= 15:
        problems["phone"] = visit.say("Enter a phone number with its area code, or leave it empty.")
        return ""
    return digits


def _is_limited(visit: Visit, kind: str) -> bool:
    """Count an attempt; tell whether one network makes too many an hour, whatever they are for."""
    with visit.office.database.writing() as books:
        if count_bad(books, kind, [visit.network], visit.now, HOUR) >= NETWORK_MOST:
            return True
        record_attempt(books, kind, [visit.network], visit.now, good=False)
    return False


_KINDS = {
    "verify": frozenset({LinkKind.VERIFY}),
    "invite": SETS_PASSWORD,
    "reset": SETS_PASSWORD,
    "unlock": frozenset({LinkKind.UNLOCK}),
    "not-me": frozenset({LinkKind.UNLINK_ACCOUNT}),
}
_BUTTONS = {
    LinkKind.UNLOCK: "unlock.html",
    LinkKind.UNLINK_ACCOUNT: "not-me.html",
}
_DONE = {
    "address": "You sign in with the new address from now on.",
    "stopped": "The change of your address is stopped. Our office has locked this access: call "
    "them.",
    "verified": "Your address is verified. You can sign in now.",
    "unlocked": "Your password is unlocked. You can sign in now.",
    "password": "Your new password is set. You can sign in now.",
    "out": "You are signed out.",
}
