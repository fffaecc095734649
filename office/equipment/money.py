"""Cash receipting as the settings choose it, where it is not the home's own ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from billing_system.feed.port import FeedSource
from cash_receipting.port import CashReceipting
from domain.failures import Misuse
from office.settings.money import CashReceiptingSettings, FeedSettings, PaymentsSettings
from payments.method_capture import MethodCapture
from payments.port import PaymentGateway

if TYPE_CHECKING:
    from payments.stripe.client import StripeRequests

TRAY = "cash-receipting-files.db"


def to_service(chosen: CashReceiptingSettings) -> CashReceipting:
    """Return the web service; raises Misuse where its address is missing."""
    from cash_receipting.rest import RestReceipting

    if not chosen.url:
        raise Misuse("cash_receipting.url is empty: nobody knows where the service is.", "no-url")
    return RestReceipting(
        chosen.url,
        chosen.token,
        keeps_keys=chosen.keeps_keys,
        longest_in_flight=timedelta(seconds=chosen.longest_in_flight_seconds),
    )


def to_file_drop(home: Path, chosen: CashReceiptingSettings) -> CashReceipting:
    """Return the folder of import files; raises Misuse where its layout cannot be used."""
    from cash_receipting.import_files.file_drop import FileDropReceipting
    from cash_receipting.import_files.layout import read_layout

    layout = read_layout(home / chosen.layout if chosen.layout else None)
    return FileDropReceipting(home / chosen.folder, home / TRAY, layout)


def to_gateway(chosen: PaymentsSettings) -> PaymentGateway:
    """Make a gateway of the settings; raises Misuse where something is missing."""
    requests = _to_stripe(chosen)
    from payments.stripe.gateway import StripeGateway

    return StripeGateway(requests, chosen.stripe_webhook_secret.get_secret_value())


def to_method_capture(chosen: PaymentsSettings) -> MethodCapture:
    """Make the page of Stripe's for payment methods; raises Misuse where something is missing."""
    requests = _to_stripe(chosen)
    from payments.stripe.method_capture import StripeCapture

    return StripeCapture(requests, chosen.stripe_webhook_secret.get_secret_value())


def _to_stripe(chosen: PaymentsSettings) -> StripeRequests:
    api_key = chosen.stripe_api_key.get_secret_value()
    if not api_key:
        raise Misuse(
            "payments.stripe_api_key is empty: give Stripe's secret key in the environment as "
            "BILLCLOSE_PAYMENTS__STRIPE_API_KEY.",
            "no-stripe-key",
        )
    try:
        from payments.stripe.client import StripeRequests
    except ModuleNotFoundError as missing:
        if missing.name != "stripe":
            raise
        raise Misuse(
            "payments.gateway is stripe and its library is not installed; "
            "install billclose with the extra `stripe`.",
            "no-stripe",
        ) from None
    return StripeRequests(api_key, chosen.stripe_url)


def to_feed_source(home: Path, chosen: FeedSettings) -> FeedSource | None:
    """Return where the feed comes from; raises Misuse where both ways are set."""
    if chosen.folder and chosen.url:
        raise Misuse("feed.folder and feed.url are both set; choose one of them.", "feed")
    if chosen.url:
        from billing_system.feed.rest import RestFeed

        return RestFeed(chosen.url, chosen.token)
    if chosen.folder:
        from billing_system.feed.folder import FolderFeed

        return FolderFeed(home / chosen.folder)
    return None
