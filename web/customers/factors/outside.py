"""Signing in with an account at Google or Apple: begun, answered, connected, taken away."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from domain.failures import Refused, TemporaryFailure
from identity.attempts.counting import count_bad, record_attempt
from identity.oidc.identities import connect, disconnect, identities_of, sign_in_by
from identity.oidc.provider import IdentityProvider, OutsideAccount
from identity.oidc.requests import (
    AnsweredSignIn,
    begin,
    end_unknown,
    find_unknown,
    keep_unknown,
    take_answer,
)
from identity.signing_in import HOUR, NETWORK_MOST
from office.procedures.mailing.portal_mail import queue_portal_mails
from rules.portal_access import own_path
from web.customers.factors.confirming import find_password_problem
from web.customers.factors.letting_in import let_in, told_of
from web.guarding import policy_for
from web.layout import missing, show
from web.visits import Visit, redirect

LOG = logging.getLogger("billclose.web")
CONNECT, WAYS = "/oidc/connect", "/account/sign-in-with"
BY_MAIL = "/oidc/connect/by-mail"
OVER = "This sign-in is over or was used already. Please begin again."
AWAY = "%(provider)s does not answer now. Sign in with your password, or try again later."
DECLINED = "You did not go on at %(provider)s. Nothing was changed."
NOT_BELIEVED = "The answer of %(provider)s could not be checked, so nobody was let in. Begin again."
NO_ENTRY = "This account opens nothing here at the moment. Call the billing office."
UNKNOWN = (
    "Your account at %(provider)s opens nothing here yet. Sign in with your password once, or "
    "have a link sent to your mailbox, which registers you, too, if you are new here."
)
ANOTHERS = "That account is connected to another customer, or you have connected five already."
LAST = "That is the only way in that you have. Choose a password first."
DONE = {
    "connected": "It is connected. From now on you can sign in with it.",
    "removed": "It opens nothing here any more.",
}
_REFUSED = ("access_denied", "user_cancelled_authorize", "consent_required", "login_required")


def begin_sign_in(visit: Visit) -> Response:
    """Send the browser to the provider's page; only a button's POST does."""
    provider = _provider(visit)
    if provider is None:
        return missing(visit)
    if _is_limited(visit):
        return say_end(visit, OVER, 429)
    return _lead_there(visit, provider, own_path(visit.form.get("next", "/")), None)


def take_query(visit: Visit) -> Response:
    """Take an answer that came in the address; a HEAD, as scanners send it, does nothing."""
    if visit.request.method != "GET":
        return redirect("/sign-in")
    provider = _provider(visit)
    if provider is None or provider.terms.posts_back:
        return missing(visit)
    told = visit.request.query_params
    return _answer(visit, provider, {name: told.get(name, "") for name in _TOLD})


def take_form(visit: Visit) -> Response:
    """Take an answer that the provider had the browser post, without our session's cookie."""
    provider = _provider(visit)
    if provider is None or not provider.terms.posts_back:
        return missing(visit)
    return _answer(visit, provider, visit.form)


_TOLD = ("state", "code", "error")
HIDDEN = "@privaterelay.appleid.com"  # Apple's, for one service alone: nobody registers by it
BOUND_FOR = 5400  # seconds: as long as a mailed link is good, and the time to ask for it


def show_connecting(visit: Visit) -> Response:
    """Ask whether an account that was proved a moment ago shall open this customer's portal."""
    account = proved_in(visit)
    if account is None:
        return redirect(WAYS)
    name = visit.office.identity_providers[account.provider].terms.name
    return show(visit, "outside-connect.html", provider=name, label=account.label)


def take_connecting(visit: Visit) -> Response:
    """Connect it: whoever presses has proved both, in this browser, within minutes."""
    account, office, user = proved_in(visit), visit.office, visit.user.number
    if account is None:
        return redirect(WAYS)
    with office.database.writing() as books:
        good = connect(books, user, account, visit.now)
        end_unknown(books, binder_of(visit), visit.now)
        if good:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not good:
        return show_ways(visit, 422, problems={"": visit.say(ANOTHERS)})
    visit.wake_mail()
    return redirect(f"{WAYS}?done=connected")


def show_ways(visit: Visit, status: int = 200, **values: object) -> Response:
    """Show which accounts elsewhere open this one, and which may."""
    offered = visit.office.identity_providers
    with visit.office.database.reading() as books:
        mine = identities_of(books, visit.user.number)
    if not offered and not mine:
        return missing(visit)
    names = provider_names(visit)
    done = DONE.get(visit.request.query_params.get("done", ""), "")
    page = show(
        visit, "outside-ways.html", status, mine=mine, names=names, zone=visit.zone, done=done,
        **values,
    )  # fmt: skip
    return with_forms_to_providers(visit, page)


def take_beginning(visit: Visit) -> Response:
    """Connect another account, once the password was right: the provider's page comes next."""
    provider = visit.office.identity_providers.get(visit.text("provider"))
    if provider is None:
        return missing(visit)
    status, problems = find_password_problem(visit)
    if problems:
        return show_ways(visit, status, problems=problems)
    return _lead_there(visit, provider, f"{WAYS}?done=connected", visit.user.number)


def take_removing(visit: Visit) -> Response:
    """Take one of the visitor's own away, once the password was right."""
    status, problems = find_password_problem(visit)
    if problems:
        return show_ways(visit, status, problems=problems)
    office, user, number = visit.office, visit.user.number, visit.text("number")
    with office.database.writing() as books:
        is_number = number.isdecimal() and len(number) < 18
        mine = {one.number for one in identities_of(books, user)}
        if not is_number or int(number) not in mine:
            return missing(visit)
        gone = disconnect(books, user, int(number), visit.now)
        if gone:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not gone:
        return show_ways(visit, 422, problems={"": visit.say(LAST)})
    visit.wake_mail()
    return redirect(f"{WAYS}?done=removed")


def provider_names(visit: Visit) -> dict[str, str]:
    """Return the providers that are set, by their codes, as a button names them."""
    return {code: one.terms.name for code, one in visit.office.identity_providers.items()}


def with_forms_to_providers(visit: Visit, page: Response) -> Response:
    """Let a page's forms lead on to the providers' pages: browsers hold redirects to the policy."""
    origins = []
    for provider in visit.office.identity_providers.values():
        try:
            origins.append(provider.origin(visit.now))
        except TemporaryFailure:
            origins.append(provider.terms.issuer)
    if origins:
        page.headers["Content-Security-Policy"] = policy_for(forms_to=origins)
    return page


def _answer(visit: Visit, provider: IdentityProvider, told: Mapping[str, str]) -> Response:
    name, office = provider.terms.name, visit.office
    with office.database.writing() as books:
        answered = take_answer(
            books, provider.terms.code, told.get("state", ""), binder_of(visit), visit.now
        )
    if answered is None:
        return say_end(visit, OVER, 410)
    if told.get("error"):
        said = DECLINED if told["error"] in _REFUSED else NOT_BELIEVED
        return say_end(visit, said, 200 if said == DECLINED else 422, provider=name)
    try:
        account = provider.account_of(
            told.get("code", ""), answered.nonce, answered.verifier,
            redirect_uri(visit, provider), office.clock.wall(),
        )  # fmt: skip
    except Refused as refused:
        LOG.warning("a sign-in by %s is not believed: %s", provider.terms.code, refused)
        _count_bad(visit)
        return say_end(visit, NOT_BELIEVED, 422, provider=name)
    except TemporaryFailure as failure:
        LOG.warning("a sign-in by %s waits: %s", provider.terms.code, failure)
        return say_end(visit, AWAY, 503, provider=name)
    if answered.user is not None:
        return _connect(visit, answered, account)
    return _sign_in(visit, provider, answered, account)


def _sign_in(
    visit: Visit, provider: IdentityProvider, answered: AnsweredSignIn, account: OutsideAccount
) -> Response:
    try:
        with visit.office.database.writing() as books:
            user = sign_in_by(books, account, visit.now)
            if user is None:
                keep_unknown(books, answered, account)
    except LookupError:
        return say_end(visit, NO_ENTRY, 422)
    if user is not None:
        return let_in(visit, user, answered.goes_on_to)
    return say_end(visit, UNKNOWN, 200, account, provider=provider.terms.name)


def _connect(visit: Visit, answered: AnsweredSignIn, account: OutsideAccount) -> Response:
    office, user = visit.office, answered.user or 0
    with office.database.writing() as books:
        good = connect(books, user, account, visit.now)
        if good:
            queue_portal_mails(office, books, told_of(books, user, "way-changed"))
    if not good:
        return say_end(visit, ANOTHERS, 422, next_path=WAYS)
    visit.wake_mail()
    return redirect(answered.goes_on_to)


def say_end(
    visit: Visit,
    said: str,
    status: int,
    account: OutsideAccount | None = None,
    *,
    next_path: str = "/",
    problems: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """
    Say how it ended, with the password's way in below.

    `account` was proved and opens nothing yet: it can be connected by either way.
    """
    given = visit.text("email") or (account.label if account else "")
    return show(
        visit,
        "outside-ended.html",
        status,
        sentence=visit.say(said, **values),
        next=CONNECT if account else next_path,
        by_mail=account is not None,
        address=given if "@" in given and not given.endswith(HIDDEN) else visit.text("email"),
        problems=problems or {},
    )


def _lead_there(
    visit: Visit, provider: IdentityProvider, goes_on_to: str, user: int | None
) -> Response:
    office, code = visit.office, provider.terms.code
    with office.database.writing() as books:
        begun = begin(books, code, visit.now, goes_on_to, user)
    try:
        address = provider.page_for(
            begun.state, begun.nonce, begun.verifier, redirect_uri(visit, provider),
            office.clock.wall(),
        )  # fmt: skip
    except TemporaryFailure:
        return say_end(visit, AWAY, 503, provider=provider.terms.name)
    answer = RedirectResponse(address, 303)
    _bind(visit, provider, answer, begun.binder)
    return answer


def redirect_uri(visit: Visit, provider: IdentityProvider) -> str:
    """Return the one address that a provider may lead back to, out of the settings alone."""
    return f"{visit.office.settings.web.url.rstrip('/')}/oidc/{provider.terms.code}/callback"


def _bind(visit: Visit, provider: IdentityProvider, answer: Response, binder: str) -> None:
    """
    Bind what was begun to this browser.

    Where the provider posts back from its own page the cookie must come along: SameSite=None, for
    these addresses alone, which TLS must then protect.
    """
    secure = visit.office.settings.web.is_secure
    answer.set_cookie(
        _cookie(visit), binder, max_age=BOUND_FOR, path="/oidc", secure=secure, httponly=True,
        samesite="none" if provider.terms.posts_back and secure else "lax",
    )  # fmt: skip


def _cookie(visit: Visit) -> str:
    return "__Secure-oidc" if visit.office.settings.web.is_secure else "oidc"


def binder_of(visit: Visit) -> str:
    """Return what binds this browser to what it began; empty: it began nothing."""
    return visit.request.cookies.get(_cookie(visit), "")


def _provider(visit: Visit) -> IdentityProvider | None:
    return visit.office.identity_providers.get(visit.path("provider"))


def proved_in(visit: Visit) -> OutsideAccount | None:
    """Return the account that was proved in this browser a moment ago and opens nothing yet."""
    with visit.office.database.reading() as books:
        found = find_unknown(books, binder_of(visit), visit.now)
    return found if found and found.provider in visit.office.identity_providers else None


def _is_limited(visit: Visit) -> bool:
    with visit.office.database.reading() as books:
        return count_bad(books, "oidc", [visit.network], visit.now, HOUR) >= NETWORK_MOST


def _count_bad(visit: Visit) -> None:
    with visit.office.database.writing() as books:
        record_attempt(books, "oidc", [visit.network], visit.now, good=False)
