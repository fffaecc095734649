"""The desk's application: which address is answered by what."""

from __future__ import annotations

import logging

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.causes import say_cause
from identity.passwords import Passwords
from office.equipment.office import Office
from web.csr.routes import console_routes
from web.customers.autopay.routes import ROUTES as AUTOPAY
from web.customers.choices.routes import ROUTES as CHOICES
from web.customers.choices.routes import link_routes, sandbox_routes
from web.customers.history.routes import ROUTES as HISTORY
from web.customers.paying.routes import ROUTES as PAYING
from web.customers.paying.routes import guest_routes
from web.customers.routes import customer_routes
from web.gateways import TWILIO, take_stripe_event, take_twilio
from web.guarding import HEADERS, Guard, largest_of
from web.layout import missing, refuse_earlier_form, refuse_looking, refuse_role, send_static
from web.mail_thread import MailThread, sending_mail
from web.mailed_links import ask_to_unsubscribe, fetch_export, read_communication, unsubscribe
from web.monitors import LastLook, tell_health, tell_metrics
from web.office.watching import Watchers
from web.pages import down, failed, not_there
from web.payment_thread import PaymentThread
from web.staff_routes import office_routes, staff_access_routes
from web.theme import send_themed
from web.visits import known_visit

BUSY_SECONDS = 30
_LOG = logging.getLogger(__name__)


def desk_of(office: Office) -> Starlette:
    """Return the web desk of an office, an ASGI application; no other address is answered."""
    desk = Starlette(
        routes=[
            *_pages(office),
            Route("/unsubscribe/{token}", ask_to_unsubscribe, methods=["GET"]),
            Route("/unsubscribe/{token}", unsubscribe, methods=["POST"]),
            Route("/exports/{token}", fetch_export, methods=["GET"]),
            Route("/communications/{number:int}", read_communication, methods=["GET"]),
            Route("/webhooks/stripe", take_stripe_event, methods=["POST"]),
            Route(TWILIO, take_twilio, methods=["POST"]),
            Route("/health", tell_health, methods=["GET"]),
            Route("/metrics", tell_metrics, methods=["GET"]),
            Route("/static/{name}", send_static, methods=["GET"]),
            Route("/theme/{name}", send_themed, methods=["GET"]),
        ],
        lifespan=sending_mail,
        middleware=[Middleware(Guard, largest=largest_of, by_tls=office.settings.web.is_secure)],
        exception_handlers={
            404: _missing,
            500: _failed,
            OperationalError: _busy,
            PoolTimeout: _busy,
        },
    )
    desk.router.redirect_slashes = False
    desk.state.office = office
    desk.state.last_look = LastLook(office)
    desk.state.passwords = Passwords()
    desk.state.refuse_looking = refuse_looking
    desk.state.refuse_earlier_form = refuse_earlier_form
    desk.state.refuse_role = refuse_role
    desk.state.mail_thread = MailThread(office)
    desk.state.mail_waits = desk.state.mail_thread.waits
    desk.state.watchers = Watchers()
    desk.state.payment_thread = PaymentThread(office, desk.state.mail_waits)
    return desk


def _pages(office: Office) -> list[Route]:
    """
    Return the pages that this desk serves, by the setting `web.serves`.

    Addresses are looked through in this order, so those that are asked for most come first.
    """
    served = office.settings.web.serves
    return [
        *(customer_routes(*HISTORY, *AUTOPAY, *CHOICES, *PAYING) if "customers" in served else ()),
        *((*guest_routes(), *link_routes(), *sandbox_routes()) if "customers" in served else ()),
        *(staff_access_routes() if {"office", "csr"} & {*served} else ()),
        *(office_routes() if "office" in served else ()),
        *(console_routes() if "csr" in served else ()),
    ]


def _missing(request: Request, _failure: Exception) -> Response:
    """Say it on a page of the portal to whoever is signed in there; to others in a plain one."""
    visit = known_visit(request)
    return not_there(request) if visit is None else missing(visit)


def _busy(request: Request, failure: Exception) -> Response:
    """Ask for patience where the books give no answer: too many ask or they are away (rule 189)."""
    _LOG.warning("The books gave no answer to a page: %s", say_cause(failure))
    if _is_program(request):
        text = "We are busy just now; please try again in a minute.\n"
        answer: Response = PlainTextResponse(text, 503)
    else:
        answer = down(request)
    answer.headers["Retry-After"] = f"{BUSY_SECONDS}"
    return _private(answer)


def _failed(request: Request, _failure: Exception) -> Response:
    """Say nothing of what went wrong: the log has it."""
    if _is_program(request):
        text = "Something went wrong; please try again later.\n"
        return _private(PlainTextResponse(text, 500))
    return _private(failed(request))


def _is_program(request: Request) -> bool:
    """Tell whether a gateway or a monitor asks, who reads no pages."""
    return request.url.path.startswith(("/webhooks/", "/health", "/metrics"))


def _private(answer: Response) -> Response:
    """Add the headers of every answer: the guard does not see one to a failure."""
    for name, value in HEADERS:
        answer.headers[name.decode("ascii")] = value.decode("ascii")
    return answer
