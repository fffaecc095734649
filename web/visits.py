"""One request with whoever makes it: the office, the session, the fields of a form."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from database.books import OnlyReads
from domain.languages import say_day
from domain.payment_methods import label_method
from domain.payments import MethodKind
from identity.attempts.counting import network_subject
from identity.customer_service.impersonation import CustomerLook, find_looking
from identity.passwords import Passwords
from identity.sessions import (
    SEEN_EVERY,
    WHOLE,
    SignedIn,
    find_session,
    find_staff_session,
    mark_seen,
)
from identity.wallet import SavedMethod
from mail.rendering.alerts import newest_utility, newest_utility_in
from office.equipment.office import Office, in_name_of, only_looking
from rules.portal_access import own_path
from web.office.permissions import Permission, may
from web.words import language_asked, messages_in, speaker

NEWEST = "billclose.newest"  # of a request: what its newest export says
STAFF_COOKIE = "office"
LOOK_COOKIE = "look"  # of staff who look at the portal as a customer sees it
LONGEST_REASON = 500  # characters of why staff of the office do something
LONGEST_FIELD = 2_048  # characters, a token of Turnstile; a longer one is cut, nobody types it


@dataclass(frozen=True, slots=True)
class Visit:
    """
    What a page needs to know of one request.

    `session` is whoever is signed in as a portal user. `form` holds the fields of a POST as
    typed, without control characters; `now` is the moment of the whole request. `looking` says
    that the session is a customer's as staff look at it: then nothing is done (ruling 26).
    """

    request: Request
    office: Office
    now: datetime
    form: Mapping[str, str] = field(default_factory=dict)
    session: SignedIn | None = None
    looking: CustomerLook | None = None

    @property
    def is_post(self) -> bool:
        """Only a POST acts: a HEAD is what mail scanners send first."""
        return self.request.method == "POST"

    @property
    def user(self) -> SignedIn:
        """Whoever is signed in; pages behind `signed_in` have one."""
        if self.session is None:
            raise LookupError("nobody is signed in")
        return self.session

    @property
    def newest(self) -> tuple[str, str]:
        """The utility's name and time zone as its newest export has them, read once a request."""
        kept: tuple[str, str] | None = self.request.scope.get(NEWEST)
        if kept is None:
            kept = self.request.scope[NEWEST] = newest_utility(self.office.database)
        return kept

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.newest[1])

    @property
    def today(self) -> date:
        """The utility's local date."""
        return self.now.astimezone(self.zone).date()

    @property
    def network(self) -> str:
        """What stands for the visitor's network today; the address itself is kept nowhere."""
        remote = self.request.client.host if self.request.client else ""
        return network_subject(remote, self.office.link_tokens.secret, self.now)

    @property
    def language(self) -> str:
        if self.session is not None:
            return self.session.language
        return language_asked(self.request)

    @property
    def messages(self) -> Mapping[str, str]:
        """The office's own sentences, in the visitor's language."""
        return messages_in(self.office.settings, self.language)

    def say(self, text: str, **values: object) -> str:
        """Say a sentence in the visitor's language."""
        return speaker(self.language)(text, **values)

    def day(self, day: date) -> str:
        """Write a date in the visitor's language."""
        return say_day(day, self.language)

    def say_method(self, kind: MethodKind | None, last4: str, brand: str) -> str:
        """Name a payment method in the visitor's language."""
        return label_method(kind, last4, brand, self.language)

    def say_saved(self, method: SavedMethod) -> str:
        """Name a payment method of a wallet."""
        return self.say_method(method.kind, method.last4, method.brand)

    def wake_mail(self) -> None:
        """Let the mail that was just queued leave now, without waiting for it."""
        self.request.app.state.mail_waits.set()

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def text(self, name: str) -> str:
        return self.form.get(name, "").strip()


Page = Callable[[Visit], Response]
Reading = Callable[[Visit, Connection], Response]


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """
    A page that only reads: by the transaction in which its visitor's session was found.

    What it says is of one moment with whose it is, and the books are opened once. It writes
    nothing: who holds a reading and waits for another connection keeps both from everybody else.
    """

    read: Reading

    def __call__(self, visit: Visit) -> Response:
        """Show the page by a transaction of its own."""
        with visit.office.database.reading() as books:
            return self.read(visit, books)


Endpoint = Callable[[Request], Awaitable[Response]]
Reads = Callable[[Request], Awaitable[dict[str, str]]]


def open_page(page: Page) -> Endpoint:
    """Make a page of the portal that anybody may see."""

    async def answer(request: Request) -> Response:
        form = await _fields(request)
        return await run_in_threadpool(lambda: _unless_looking(page, _visit(request, form)))

    return answer


def open_staff_page(page: Page) -> Endpoint:
    """Make a page that anybody may see on the way to the office's pages."""

    async def answer(request: Request) -> Response:
        form = await _fields(request)
        office: Office = request.app.state.office
        return await run_in_threadpool(lambda: page(Visit(request, office, office.due_now(), form)))

    return answer


def signed_in(page: Page) -> Endpoint:
    """
    Make a page for whoever is signed in; others are asked to sign in and come back.

    A POST must carry the session's own token: with the header that browsers send, two guards
    against other sites' forms.
    """

    async def answer(request: Request) -> Response:
        form = await _fields(request)
        return await run_in_threadpool(_answer_signed_in, page, request, form)

    return answer


def before_code(page: Page) -> Endpoint:
    """Make a page for whoever gave the password, and not yet the second step."""

    async def answer(request: Request) -> Response:
        form = await _fields(request)
        return await run_in_threadpool(_answer_before_code, page, request, form)

    return answer


def _answer_before_code(page: Page, request: Request, form: Mapping[str, str]) -> Response:
    visit = _visit(request, form, before_code=True)
    if visit.looking is not None:
        return RedirectResponse("/", 303)
    if visit.session is None or not is_own_form(visit):
        return RedirectResponse("/sign-in", 303)
    return page(visit)


def for_staff(page: Page, permission: Permission, read: Reads | None = None) -> Endpoint:
    """
    Make a page for members of staff whose role has a permission; others are asked to sign in.

    The office acts in the name of whoever is signed in: the audit list has the person. `read`
    reads the fields of a form that has more in it than the usual ones.
    """

    async def answer(request: Request) -> Response:
        turned_away = await run_in_threadpool(turn_away, request, permission)
        if turned_away is not None:
            return turned_away
        form = await (read or _fields)(request)
        return await run_in_threadpool(_answer_staff, page, request, form)

    return answer


def turn_away(request: Request, permission: Permission) -> Response | None:
    """Answer whoever may not see a page, before anything is read of what they send."""
    visit = staff_visit(request, {})
    if visit.session is None:
        begin = staff_begin(request)
        office = own_path(request.url.path) if request.method == "GET" else begin
        return RedirectResponse(f"/office/sign-in?next={office}", 303)
    if visit.session.needs_code:
        return RedirectResponse("/office/code", 303)
    if not may(visit.session.role, permission):
        refuse: Page = request.app.state.refuse_role
        return refuse(visit)
    return None


def _answer_staff(page: Page, request: Request, form: Mapping[str, str]) -> Response:
    visit = staff_visit(request, form)
    if visit.session is None:
        return RedirectResponse("/office/sign-in", 303)
    if not is_own_form(visit):
        return earlier_form(visit)
    if visit.session.seen_at < visit.now - SEEN_EVERY:
        with visit.office.database.writing() as books:
            mark_seen(books, visit.session, visit.now)
    return page(replace(visit, office=in_name_of(visit.office, visit.session.who)))


def half_signed_in(page: Page) -> Endpoint:
    """Make a page for staff who have given the password, and not yet the code of the phone."""

    async def answer(request: Request) -> Response:
        form = await _fields(request)
        return await run_in_threadpool(_answer_half, page, request, form)

    return answer


def _answer_half(page: Page, request: Request, form: Mapping[str, str]) -> Response:
    visit = staff_visit(request, form)
    if visit.session is None or not is_own_form(visit):
        return RedirectResponse("/office/sign-in", 303)
    return page(visit)


def is_own_form(visit: Visit) -> bool:
    """Tell whether a POST carries the session's own token; a GET has none to carry."""
    return not visit.is_post or carries(visit, visit.user.csrf)


def carries(visit: Visit, token: str) -> bool:
    """Tell whether a form carries a token; how long it takes says nothing of what is right."""
    return hmac.compare_digest(visit.form.get("csrf", "").encode(), token.encode())


def staff_begin(request: Request) -> str:
    """Return where the pages of staff begin that somebody is on: the console's or the office's."""
    return "/csr" if request.url.path.startswith("/csr") else "/office"


def earlier_form(visit: Visit) -> Response:
    """Answer a form of another sign-in, or of another site: 403, and nothing is done."""
    refuse: Page = visit.request.app.state.refuse_earlier_form
    return refuse(visit)


def staff_visit(request: Request, form: Mapping[str, str]) -> Visit:
    """Return a visit with whoever of staff is signed in."""
    office: Office = request.app.state.office
    now = office.due_now()
    with office.database.reading() as books:
        token = request.cookies.get(cookie_name(office, STAFF_COOKIE), "")
        session = find_staff_session(books, token, now)
    return Visit(request, office, now, form, session)


def _answer_signed_in(page: Page, request: Request, form: Mapping[str, str]) -> Response:
    office: Office = request.app.state.office
    now, answer = office.due_now(), None
    with office.database.reading() as books:
        visit = _visit_in(books, request, form, now)
        if isinstance(page, ReadingPage) and _is_customers_own(visit):
            answer = page.read(visit, books)
    if visit.session is None:
        return RedirectResponse(f"/sign-in?next={own_path(request.url.path)}", 303)
    if visit.looking is not None:
        return _unless_looking(page, visit)
    if not is_own_form(visit):
        return earlier_form(visit)
    if visit.session.seen_at < visit.now - SEEN_EVERY:
        with visit.office.database.writing() as books:
            mark_seen(books, visit.session, visit.now)
    return answer or page(visit)


def _is_customers_own(visit: Visit) -> bool:
    """Tell whether a customer reads a page of theirs, and not staff who look at it."""
    return visit.session is not None and visit.looking is None and not visit.is_post


def _unless_looking(page: Page, visit: Visit) -> Response:
    """
    Answer; whoever only looks as a customer is refused where something would be done (ruling 26).

    Twice over: no POST comes to its page, and a page that writes at a GET has no books to write to.
    """
    try:
        if visit.looking is None or not visit.is_post:
            return page(visit)
    except OnlyReads:
        pass
    refuse: Page = visit.request.app.state.refuse_looking
    return refuse(visit)


def _visit(request: Request, form: Mapping[str, str], *, before_code: bool = False) -> Visit:
    office: Office = request.app.state.office
    now = office.due_now()
    with office.database.reading() as books:
        return _visit_in(books, request, form, now, before_code=before_code)


def _visit_in(
    books: Connection,
    request: Request,
    form: Mapping[str, str],
    now: datetime,
    *,
    before_code: bool = False,
) -> Visit:
    """Return a visit with whoever has its session, or looks as a customer."""
    office: Office = request.app.state.office
    look = request.cookies.get(cookie_name(office, LOOK_COOKIE), "")
    if look:
        staff = request.cookies.get(cookie_name(office, STAFF_COOKIE), "")
        looking = find_looking(books, look, staff, now)
        if looking is not None:
            return Visit(request, only_looking(office), now, form, _looked_at(looking), looking)
    token = request.cookies.get(cookie_name(office), "")
    session = find_session(books, token, now, before_code=before_code)
    if session is not None:  # a page comes of it: what it says above all was read along
        request.scope[NEWEST] = session.newest or newest_utility_in(books)
    return Visit(request, office, now, form, session)


def known_visit(request: Request) -> Visit | None:
    """Return a visit of whoever is signed in to the portal; without a cookie nothing is read."""
    office: Office = request.app.state.office
    if "customers" not in office.settings.web.serves or cookie_name(office) not in request.cookies:
        return None
    visit = _visit(request, {})
    return visit if visit.session is not None else None


def _looked_at(looking: CustomerLook) -> SignedIn:
    """Return the session of a customer that staff look through: its forms carry no token."""
    return SignedIn(
        looking.token_sha256,
        "",
        looking.user,
        looking.address,
        looking.language,
        looking.begun_at,
    )


async def _fields(request: Request) -> dict[str, str]:
    if request.method != "POST":
        return {}
    async with request.form(max_files=0, max_fields=60) as form:
        return clean_fields(form)


def clean_fields(form: FormData) -> dict[str, str]:
    """Return a form's fields as typed, without control characters and without its files."""
    return {
        name: _clean(value) for name, value in form.items() if not isinstance(value, UploadFile)
    }


def _clean(value: str) -> str:
    return "".join(filter(str.isprintable, value[:LONGEST_FIELD]))


def passwords_of(visit: Visit) -> Passwords:
    passwords: Passwords = visit.request.app.state.passwords
    return passwords


def cookie_name(office: Office, name: str = "portal") -> str:
    """`__Host-` binds the cookie to this host and to TLS; a trial on this machine has none."""
    return f"__Host-{name}" if _is_secure(office) else name


def set_session(
    office: Office, answer: Response, token: str, name: str = "portal", kept: timedelta = WHOLE
) -> None:
    answer.set_cookie(
        cookie_name(office, name),
        token,
        max_age=int(kept.total_seconds()),
        path="/",
        secure=_is_secure(office),
        httponly=True,
        samesite="lax",
    )


def clear_session(office: Office, answer: Response, name: str = "portal") -> None:
    cookie = cookie_name(office, name)
    answer.delete_cookie(cookie, path="/", secure=_is_secure(office), httponly=True)


def _is_secure(office: Office) -> bool:
    return office.settings.web.is_secure


def redirect(path: str) -> RedirectResponse:
    """Lead on after a POST, so that going back or loading again repeats nothing."""
    return RedirectResponse(path, 303)


def row_number(text: str) -> int | None:
    """Return a row's number as a form or an address has it; None for what can be nobody's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
