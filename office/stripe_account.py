"""The Stripe account that the settings name."""

from __future__ import annotations

from domain.failures import Misuse
from office.settings_money import PaymentsSettings
from payments.gateway import PaymentGateway


def to_gateway(chosen: PaymentsSettings) -> PaymentGateway:
    """Make a gateway of the settings; raises Misuse where something is missing."""
    api_key = chosen.stripe_api_key.get_secret_value()
    if not api_key:
        raise Misuse(
            "payments.stripe_api_key is empty: give Stripe's secret key in the environment as "
            "BILLCLOSE_PAYMENTS__STRIPE_API_KEY.",
            "no-stripe-key",
        )
    try:
        from payments.stripe_client import StripeRequests  # its library takes long to load
        from payments.stripe_gateway import StripeGateway
    except ModuleNotFoundError as missing:
        if missing.name != "stripe":
            raise
        raise Misuse(
            "payments.gateway is stripe and its library is not installed; "
            "install billclose with the extra `stripe`.",
            "no-stripe",
        ) from None
    secret = chosen.stripe_webhook_secret.get_secret_value()
    return StripeGateway(StripeRequests(api_key, chosen.stripe_url), secret)
