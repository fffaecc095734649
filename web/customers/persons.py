"""The page that takes a browser for a person's before others are shown (rules 68, 190)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from domain.failures import TemporaryFailure
from identity.attempts.counting import count_bad, record_attempt
from identity.bot_check.passing import has_passed, let_pass
from identity.bot_check.port import BotCheckKind
from rules.portal_access import own_path
from web.customers.visitors import form_token_of, guest_of
from web.guarding import policy_for
from web.layout import show
from web.visits import Page, Visit, redirect

MOST_WRONG = 30  # answers of one network an hour: each costs a question to somebody's service
_WITHIN = timedelta(hours=1)
NOT_SHOWN = (
    "We could not see that you are a person. Wait until the check is done, then press the button. "
    "Your browser has to run JavaScript for it."
)
TOO_OFTEN = "That went wrong very often from where you are. Please try again in an hour."


@dataclass(frozen=True, slots=True)
class Doubted:
    """Why a form is not taken: the status of the answer, and what to say."""

    status: int
    sentence: str


def is_asked(visit: Visit) -> bool:
    """Tell whether the office has browsers asked at all."""
    return visit.office.settings.bot_check.kind is not BotCheckKind.NONE


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked before some pages: by which words, at which address, and where it leads."""

    check: str  # the page that asks
    first: str  # the first of the pages behind it, whose addresses begin so
    title: str
    why: str
    without: str  # what stands where no JavaScript runs, before the way by mail
    mail: str  # the page that leads on where a browser cannot run the check
    not_now: str  # where nobody can judge an answer at this moment


def guard(page: Page, asking: Asking) -> Page:
    """Make a page for whom the check has taken for a person; others are asked, and come back."""

    def guarded(visit: Visit) -> Response:
        if is_asked(visit) and not _has_passed(visit):
            return redirect(f"{asking.check}?next={own_path(visit.request.url.path)}")
        return page(visit)

    return guarded


def show_check(visit: Visit, asking: Asking) -> Response:
    """Ask; who was asked before, or need not be, goes on."""
    if not is_asked(visit) or _has_passed(visit):
        return redirect(_goes_on(visit, asking))
    return _ask(visit, asking)


def take_check(visit: Visit, asking: Asking) -> Response:
    """Judge an answer, and lead on."""
    if not is_asked(visit) or _has_passed(visit):  # a second click, or the browser's history
        return redirect(_goes_on(visit, asking))
    doubt = _find_doubt(visit, asking)
    return redirect(_goes_on(visit, asking)) if doubt is None else _ask(visit, asking, doubt)


def _has_passed(visit: Visit) -> bool:
    with visit.office.database.reading() as books:
        return has_passed(books, guest_of(visit.request), visit.now)


def _goes_on(visit: Visit, asking: Asking) -> str:
    wished = visit.text("next") or visit.request.query_params.get("next", "")
    path = own_path(wished)
    return path if path.startswith(asking.first) and path != asking.check else asking.first


def _ask(visit: Visit, asking: Asking, doubt: Doubted | None = None) -> Response:
    question = visit.office.bot_check.ask(visit.now)
    page = show(
        visit,
        "person-check.html",
        doubt.status if doubt else 200,
        csrf=form_token_of(visit.request),
        asking=asking,
        question=question,
        goes_on=_goes_on(visit, asking),
        problems={"": visit.say(doubt.sentence)} if doubt else {},
    )
    if question.elsewhere:
        policy = policy_for(scripts_of=question.elsewhere)
        page.headers["Content-Security-Policy"] = policy
    return page


def _find_doubt(visit: Visit, asking: Asking) -> Doubted | None:
    """
    Judge an answer, which then counts no more; None: a person sits there.

    Nothing is open in the books while somebody's service is asked.
    """
    office = visit.office
    with office.database.reading() as books:
        wrong = count_bad(books, "bot-check", [visit.network], visit.now, _WITHIN)
    if wrong >= MOST_WRONG:
        return Doubted(429, TOO_OFTEN)
    question = office.bot_check.ask(visit.now)
    try:
        verdict = office.bot_check.verify(visit.text(question.field), visit.now)
    except TemporaryFailure:
        return Doubted(503, asking.not_now)
    with office.database.writing() as books:
        passes = let_pass(books, verdict, guest_of(visit.request), visit.now)
        record_attempt(books, "bot-check", [visit.network], visit.now, good=passes)
    return None if passes else Doubted(422, NOT_SHOWN)
