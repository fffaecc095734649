"""The page that takes a guest for a person before the others are shown (rule 190)."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from domain.failures import TemporaryFailure
from identity.attempts import count_bad, record_attempt
from identity.bot_check.passing import has_passed, let_pass
from identity.bot_check.port import BotCheckKind
from rules.portal_access import own_path
from web.customers.paying.payers import payer_of
from web.guarding import policy_for
from web.layout import show
from web.visits import Page, Visit, redirect

CHECK = "/guest/check"
MOST_WRONG = 30  # answers of one network an hour: each costs a question to somebody's service
_WITHIN = timedelta(hours=1)
NOT_SHOWN = (
    "We could not see that you are a person. Wait until the check is done, then press the button. "
    "Your browser has to run JavaScript for it."
)
NOT_NOW = (
    "The service that tells people from programs does not answer now. Nothing was taken. Please "
    "try again in some minutes, or sign in and pay there."
)
TOO_OFTEN = "That went wrong very often from where you are. Please try again in an hour."


def for_persons(page: Page) -> Page:
    """Make a page that a guest sees who was taken for a person; others are asked, and come back."""

    def guarded(visit: Visit) -> Response:
        if visit.office.settings.bot_check.kind is not BotCheckKind.NONE:
            guest = payer_of(visit).owner.guest
            with visit.office.database.reading() as books:
                is_checked = has_passed(books, guest, visit.now)
            if not is_checked:
                return redirect(f"{CHECK}?next={own_path(visit.request.url.path)}")
        return page(visit)

    return guarded


def show_check(visit: Visit) -> Response:
    """Ask; who was asked before, or need not be, goes on."""
    if visit.office.settings.bot_check.kind is BotCheckKind.NONE:
        return redirect(_goes_on(visit))
    return _ask(visit)


def take_check(visit: Visit) -> Response:
    """Judge an answer. Nothing is open in the books while somebody's service is asked."""
    office, guest = visit.office, payer_of(visit).owner.guest
    if office.settings.bot_check.kind is BotCheckKind.NONE:
        return redirect(_goes_on(visit))
    with office.database.reading() as books:
        is_checked = has_passed(books, guest, visit.now)
        wrong = count_bad(books, "bot-check", [visit.network], visit.now, _WITHIN)
    if is_checked:  # a second click, or the browser's history
        return redirect(_goes_on(visit))
    if wrong >= MOST_WRONG:
        return _ask(visit, 429, TOO_OFTEN)
    question = office.bot_check.ask(visit.now)
    try:
        verdict = office.bot_check.verify(visit.text(question.field), visit.now)
    except TemporaryFailure:
        return _ask(visit, 503, NOT_NOW)
    with office.database.writing() as books:
        passes = let_pass(books, verdict, guest, visit.now)
        record_attempt(books, "bot-check", [visit.network], visit.now, good=passes)
    return redirect(_goes_on(visit)) if passes else _ask(visit, 422, NOT_SHOWN)


def _goes_on(visit: Visit) -> str:
    wished = visit.text("next") or visit.request.query_params.get("next", "")
    path = own_path(wished)
    return path if path.startswith("/guest") and path != CHECK else "/guest"


def _ask(visit: Visit, status: int = 200, problem: str = "") -> Response:
    question = visit.office.bot_check.ask(visit.now)
    page = show(
        visit,
        "guest-check.html",
        status,
        payer=payer_of(visit),
        question=question,
        goes_on=_goes_on(visit),
        problems={"": visit.say(problem)} if problem else {},
    )
    if question.elsewhere:
        policy = policy_for(scripts_of=question.elsewhere)
        page.headers["Content-Security-Policy"] = policy
    return page
