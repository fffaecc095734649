"""Webhooks of the payment gateway, for whatever serves them to the outside."""

from __future__ import annotations

from domain.failures import Refused
from office.equipment.office import Office
from office.procedures.portal.method_capture import finish_told_capture
from payments.method_capture import TellsOfVisits
from payments.outcomes.events import TellsByWebhook, receive


def receive_webhook(office: Office, body: bytes, signature: str) -> bool:
    """
    Check and keep what the gateway sent (`signature`: Stripe's header of that name); is it new?

    The next `collect` takes it in; a payment method that was given is in its wallet at once.
    Raises Refused (`webhook-signature`) for what the gateway has
    not signed, `no-webhooks` where the office's gateway sends none; TemporaryFailure where the
    gateway is to send it again.
    """
    gateway = office.gateway
    if not isinstance(gateway, TellsByWebhook):
        raise Refused("no-webhooks", "This office's payment gateway sends no webhooks.")
    if receive(office.database, gateway, body, signature, office.due_now()):
        return True
    capture = office.method_capture
    if not isinstance(capture, TellsOfVisits):
        return False
    visit = capture.told_visit(body, signature)
    return bool(visit) and finish_told_capture(office, visit)
