"""What others tell by themselves: the payment gateway, and the carrier of texts."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.failures import PermanentFailure, Refused, TemporaryFailure
from mail.texts.port import was_not_delivered
from office.equipment.texts import is_twilios
from office.procedures.gateway_webhooks import receive_webhook
from office.procedures.texting.answering import take_answer, take_fate
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


TWILIO = "/webhooks/twilio"
MOST_FIELDS = 100


async def take_twilio(request: Request) -> Response:
    """
    Act on what Twilio has signed: STOP, START and HELP at once, before this is answered.

    What is not signed for our own address is refused; where texts go elsewhere there is no page.
    """
    office = office_of(request)
    if office.settings.texts.system != "twilio":
        return not_there(request)
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return PlainTextResponse("Too many fields.\n", 400)
    asked = f"?{request.url.query}" if request.url.query else ""
    url = f"{office.settings.web.url.rstrip('/')}{TWILIO}{asked}"
    signature = request.headers.get("x-twilio-signature", "")
    if not is_twilios(office.settings.texts, url, fields, signature):
        return PlainTextResponse("Not signed by Twilio.\n", 403)
    said = await run_in_threadpool(_act, request, dict(fields))
    message = f"<Message>{escape(said)}</Message>" if said else ""
    answer = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    return Response(answer, media_type="text/xml")


def _act(request: Request, told: dict[str, str]) -> str:
    office = office_of(request)
    if "Body" in told:
        said = take_answer(office, told.get("From", ""), told["Body"])
        return "" if told.get("OptOutType") else said  # then Twilio has answered by itself
    if was_not_delivered(told.get("MessageStatus", "")):
        take_fate(office, told.get("MessageSid", ""), told.get("ErrorCode", ""))
    return ""
