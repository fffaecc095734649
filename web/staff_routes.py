"""Which address of the office's pages is answered by what, and which permission it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from web.guarding import ATTACHES, BANK, CORRECTED, PICTURES, POSTS, UPLOADS, WRITTEN
from web.office import access, arranging, close, customers, outsorting, payments, start, theme
from web.office.administration.pictures import take_picture
from web.office.administration.routes import ROUTES as ADMINISTRATION
from web.office.corrections import correcting, undoing
from web.office.decisions.autopay import AUTOPAY
from web.office.decisions.bank import show_bank, take_file, take_settled_line
from web.office.decisions.communications import (
    COMMUNICATIONS,
    show_change,
    show_posting,
    take_change,
    take_posting,
)
from web.office.decisions.deciding import RowDecision, show_decision, take_decision
from web.office.decisions.deposits import show_differences, take_settled
from web.office.decisions.emails import EMAILS
from web.office.decisions.findings import FINDINGS
from web.office.decisions.landlords import LANDLORDS, show_linking, take_linking
from web.office.decisions.payments import PAYMENTS
from web.office.decisions.printing import PRINTING
from web.office.enrollment import enrolling
from web.office.late.routes import ROUTES as LATE
from web.office.lists import ListPage, export_list, show_list
from web.office.mailing.routes import ROUTES as MAILING
from web.office.mailing.writing import take_look_with_file
from web.office.pages import DIFFERENCES, LINK_LANDLORD, LIST_PAGES, groups
from web.office.permissions import Permission, may
from web.office.sorting.routes import ROUTES as SORTING
from web.office.uploading import take_export, uploading
from web.office.watching import STEPS, watch_steps
from web.office.wording.routes import ROUTES as WORDING
from web.office.wording.writing import keep_lines, written_fields
from web.visits import (
    Endpoint,
    Page,
    Reads,
    Visit,
    clean_fields,
    for_staff,
    half_signed_in,
    open_staff_page,
    redirect,
)

OPEN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/office/sign-in", access.show_sign_in),
    ("POST", "/office/sign-in", access.take_sign_in),
    ("GET", "/office/password/{token}", access.show_password),
    ("POST", "/office/password/{token}", access.take_password),
    ("POST", "/office/sign-out", access.sign_out),
    ("GET", "/office/sign-out", lambda _visit: redirect("/office")),
)
HALF_SIGNED_IN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/office/code", access.show_code),
    ("POST", "/office/code", access.take_code_typed),
)
STAFF: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", "/office", start.show_start, Permission.LOOK),
    ("POST", "/office/payments/pending/retry", payments.retry_now, Permission.RETRY),
    ("GET", "/office/payments/pending", payments.show_pending, Permission.LOOK),
    ("GET", "/office/customers/{account}", customers.show_customer, Permission.CUSTOMERS),
    ("POST", "/office/customers/{account}/hold", outsorting.take_hold, Permission.OUTSORT),
    ("POST", "/office/customers/{account}/release", outsorting.take_release, Permission.OUTSORT),
    ("GET", "/office/customers/{account}/bill/{sha256}", customers.send_bill, Permission.CUSTOMERS),
    ("GET", "/office/customers/{account}/plan", arranging.show_plan, Permission.CUSTOMERS),
    ("POST", "/office/customers/{account}/plan", arranging.take_plan, Permission.DECIDE),
    ("GET", "/office/close", close.show_close, Permission.LOOK),
    ("POST", "/office/close/rehearse", close.take_rehearsal, Permission.CLOSE),
    ("POST", "/office/close/begin", close.take_close, Permission.CLOSE),
    ("GET", "/office/close/{period}", close.show_period, Permission.LOOK),
    ("GET", "/office/close/{period}/report", close.show_report, Permission.LOOK),
    ("POST", "/office/close/{period}/approve", close.take_approval, Permission.APPROVE),
    ("POST", "/office/close/{period}/refuse", close.take_refusal, Permission.APPROVE),
    ("GET", "/office/close/{period}/undo", undoing.show_undo, Permission.APPROVE),
    ("POST", "/office/close/{period}/undo", undoing.take_undo, Permission.APPROVE),
    ("GET", CORRECTED, correcting.show_correct, Permission.CORRECT),
    ("POST", correcting.CONFIRM, correcting.take_correction, Permission.CORRECT),
    ("GET", POSTS, show_posting, Permission.DECIDE),
    ("GET", "/office/communications/change", show_change, Permission.DECIDE),
    ("POST", "/office/communications/change", take_change, Permission.DECIDE),
    ("GET", DIFFERENCES, show_differences, Permission.LOOK),
    ("POST", f"{DIFFERENCES}/settle", take_settled, Permission.DECIDE),
    ("GET", BANK, show_bank, Permission.LOOK),
    ("POST", f"{BANK}/settle", take_settled_line, Permission.DECIDE),
    ("GET", enrolling.ENROLL, enrolling.show_enrolling, Permission.DECIDE),
    ("POST", enrolling.ENROLL, enrolling.take_payer, Permission.DECIDE),
    ("POST", f"{enrolling.ENROLL}/link", enrolling.take_link, Permission.DECIDE),
    ("POST", f"{enrolling.ENROLL}/offer", enrolling.take_terms, Permission.DECIDE),
    ("POST", f"{enrolling.ENROLL}/agree", enrolling.take_yes, Permission.DECIDE),
    ("GET", LINK_LANDLORD, show_linking, Permission.LINK_ACCOUNTS),
    ("POST", LINK_LANDLORD, take_linking, Permission.LINK_ACCOUNTS),
    ("GET", "/office/settings/theme", theme.show_theme, Permission.SETTINGS),
)
UPLOADED: tuple[tuple[str, Permission, Callable[[Visit, Any], Response]], ...] = (
    (UPLOADS, Permission.CLOSE, take_export),
    (POSTS, Permission.DECIDE, take_posting),
    (PICTURES, Permission.PORTAL_SETTINGS, take_picture),
    (ATTACHES, Permission.INVITE_MANY, take_look_with_file),
    (CORRECTED, Permission.CORRECT, correcting.take_small_export),
    (BANK, Permission.DECIDE, take_file),
)
STREAMED: tuple[tuple[str, Permission, Endpoint], ...] = ((STEPS, Permission.LOOK, watch_steps),)
DECISIONS: tuple[RowDecision, ...] = (
    *EMAILS,
    *PAYMENTS,
    *AUTOPAY,
    *COMMUNICATIONS,
    *FINDINGS,
    *LANDLORDS,
    *PRINTING,
)


def staff_pages() -> Iterator[tuple[str, str, Page, Permission]]:
    """Yield every page of staff: its method, path, what answers it, and the permission it needs."""
    own = {(method, path) for method, path, _page, _needed in STAFF}
    yield from STAFF
    yield from WORDING
    yield from ADMINISTRATION
    yield from LATE
    yield from MAILING
    yield from SORTING
    for decision in DECISIONS:
        assert decision.page.row_link is not None
        needed = decision.page.row_link.permission
        yield "GET", decision.path, _decides(show_decision, decision), needed
        yield "POST", decision.path, _decides(take_decision, decision), needed
    grouped = groups()
    for page in LIST_PAGES:
        if ("GET", page.path) not in own:
            yield "GET", page.path, _shows(page, grouped), page.permission
        needed = Permission.EXPORT if page.permission is Permission.LOOK else page.permission
        yield "GET", f"{page.path}/export.xlsx", _exports(page), needed


def staff_access_routes() -> list[Route]:
    """Return the routes by which staff sign in and out, to the office or to the console."""
    return [
        *(Route(path, open_staff_page(page), methods=[method]) for method, path, page in OPEN),
        *(Route(path, half_signed_in(page), methods=[m]) for m, path, page in HALF_SIGNED_IN),
    ]


def office_routes() -> list[Route]:
    """Return the office's routes, one for each method; the longer of two paths stands first."""
    pages = sorted(staff_pages(), key=lambda page: ("{" in page[1], -len(page[1])))
    return [
        *(
            Route(path, uploading(needed, take, _cleans(path)), methods=["POST"])
            for path, needed, take in UPLOADED
        ),
        *(Route(path, send, methods=["GET"]) for path, _needed, send in STREAMED),
        *(
            Route(path, for_staff(page, needed, _reads(path)), methods=[method])
            for method, path, page, needed in pages
        ),
    ]


def _cleans(path: str) -> Callable[[FormData], dict[str, str]]:
    return keep_lines if path == ATTACHES else clean_fields


def _reads(path: str) -> Reads | None:
    return written_fields if path in WRITTEN else None


def _decides(page: Callable[[Visit, RowDecision], Response], decision: RowDecision) -> Page:
    def answer(visit: Visit) -> Response:
        return page(visit, decision)

    return answer


def _shows(page: ListPage, grouped: dict[str, tuple[tuple[str, str, Permission], ...]]) -> Page:
    decisions = [one for one in DECISIONS if one.page is page]

    def show(visit: Visit) -> Response:
        code = visit.request.query_params.get("done", "")
        message = "".join(one.done(code) for one in decisions) or page.done.get(code, "")
        begin = page.begin if page.begin and may(visit.user.role, page.begin.permission) else None
        return show_list(visit, page, grouped[page.group], message=message, begin=begin)

    return show


def _exports(page: ListPage) -> Page:
    def export(visit: Visit) -> Response:
        return export_list(visit, page)

    return export
