"""What the payment gateway tells by itself: webhooks, checked and kept."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.failures import PermanentFailure, Refused, TemporaryFailure
from office.procedures.gateway_webhooks import receive_webhook
from web.mailed_links import office_of
from web.pages import not_there


async def take_stripe_event(request: Request) -> Response:
    """
    Keep an event that Stripe has signed; the next `collect` takes it in.

    Stripe sends again what is not answered with 200, so that nothing is lost while we are down.
    """
    body = await request.body()
    signature = request.headers.get("stripe-signature", "")
    try:
        await run_in_threadpool(receive_webhook, office_of(request), body, signature)
    except Refused as refused:
        if refused.code == "no-webhooks":
            return not_there(request)
        return PlainTextResponse("Not signed by the gateway.\n", status_code=400)
    except (TemporaryFailure, PermanentFailure):
        return PlainTextResponse("Please send it again.\n", status_code=503)
    return PlainTextResponse("Kept.\n")
