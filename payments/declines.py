"""What a gateway's word for a decline means for the next attempt."""

from __future__ import annotations

from domain.payments import Advice

_CODES = {
    Advice.LATER: (
        "insufficient_funds",
        "try_again_later",
        "processing_error",
        "issuer_not_available",
        "card_velocity_exceeded",
        "withdrawal_count_limit_exceeded",
        "reenter_transaction",
    ),
    Advice.ONCE_MORE: (
        "do_not_honor",
        "generic_decline",
        "card_declined",
        "call_issuer",
        "no_action_taken",
        "not_permitted",
        "service_not_allowed",
        "transaction_not_allowed",
    ),
    Advice.CUSTOMER_ACTION: (
        "authentication_required",
        "approve_with_id",
        "offline_pin_required",
        "online_or_offline_pin_required",
    ),
    Advice.NEW_METHOD: (
        "expired_card",
        "incorrect_number",
        "incorrect_cvc",
        "incorrect_zip",
        "incorrect_address",
        "incorrect_pin",
        "invalid_number",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "card_not_supported",
        "currency_not_supported",
        "new_account_information_available",
        "payment_method_unactivated",
    ),
    Advice.NEVER: (
        "lost_card",
        "stolen_card",
        "pickup_card",
        "restricted_card",
        "account_closed",
        "fraudulent",
        "merchant_blacklist",
        "security_violation",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
    ),
}
ADVICE = {code: advice for advice, codes in _CODES.items() for code in codes}


def advice_for(code: str) -> Advice:
    """Return what a decline code means; a code that nobody knows is read by a clerk first."""
    return ADVICE.get(code, Advice.CLERK)
