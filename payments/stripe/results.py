"""What Stripe says of a payment intent, in the office's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from domain.failures import OutcomeUnknown, PermanentFailure
from domain.money import ZERO, Money
from domain.payments import Advice
from payments.port import (
    DrawAnswer,
    DrawResult,
    SettledDraw,
    Settlement,
    advice_for,
)

Plain = Mapping[str, Any]
ACH = "us_bank_account"
DRAW_KEY, ACCOUNT = "draw_key", "account"  # the intent's metadata that name our draw
REFUND_KEY = "refund_key"
CUSTOMER = "customer"  # the metadata of Stripe's customer that name ours
ABANDONED = "abandoned"  # why an intent was canceled: it waited for the customer
AUTHENTICATE = "authentication_required"
VOIDED = "voided"
# Mastercard's advice: new account information, try again later (02, 24 to 30 say when), never.
_NETWORK_ADVICE = {
    "01": Advice.NEW_METHOD,
    "02": Advice.LATER,
    "03": Advice.NEVER,
    "21": Advice.NEVER,
    **{str(number): Advice.LATER for number in range(24, 31)},
}
_OWN_ADVICE = {
    "try_again_later": Advice.LATER,
    "confirm_card_data": Advice.NEW_METHOD,
    "do_not_try_again": Advice.NEVER,
}
# Visa's first category: the bank will never approve this card.
_VISA_NEVER = frozenset(["04", "07", "12", "15", "41", "43", "46", "57", "R0", "R1", "R3"])
_REVOKED = frozenset(("R0", "R1", "R3"))
_FIRM = (Advice.NEVER, Advice.NEW_METHOD, Advice.CUSTOMER_ACTION)


def to_result(intent: Plain) -> DrawResult:
    """
    Say what became of a payment intent.

    Bank money that is on its way counts as approved: it may be returned, as it may be later on.
    Raises OutcomeUnknown for a state that says neither yes nor no.
    """
    status = intent["status"]
    if status == "succeeded" or (status == "processing" and is_ach(intent)):
        return _result(intent, DrawAnswer.APPROVED)
    if status == "requires_confirmation":
        return _result(intent, DrawAnswer.NOT_FOUND)
    if status == "canceled":
        given_up = intent.get("cancellation_reason") == ABANDONED
        return declined(
            intent["id"], Money(intent["amount"]), {"code": AUTHENTICATE if given_up else VOIDED}
        )
    error = intent.get("last_payment_error")
    if status == "requires_payment_method" and error:
        return declined(intent["id"], Money(intent["amount"]), error)
    raise OutcomeUnknown(f"Stripe has the payment {intent['id']} as {status}.")


def declined(reference: str, amount: Money, error: Plain) -> DrawResult:
    return DrawResult(DrawAnswer.DECLINED, reference, amount, code_of(error), advice_of(error))


def needs_customer(intent: Plain) -> bool:
    """Tell a draw that goes on only if the customer answers his bank."""
    return bool(intent["status"] == "requires_action")


def bank_page_of(intent: Plain) -> str:
    """Return where the customer answers their bank; empty where it is no page to be led to."""
    action = intent.get("next_action") or {}
    page = action.get("redirect_to_url") or {}
    url = str(page.get("url") or "")
    return url if url.startswith("https://") else ""


def code_of(error: Plain) -> str:
    """Return Stripe's word for a decline, the bank's where it gives one."""
    return str(error.get("decline_code") or error.get("code") or "card_declined")


def advice_of(error: Plain) -> Advice:
    """
    Return what a decline means for the next attempt.

    A code that says what is wrong stands; the network's and then Stripe's own advice decide where
    the bank gives no reason.
    """
    bank = str(error.get("network_decline_code") or "")
    is_visa = _brand(error) == "visa"
    if bank in _REVOKED or (is_visa and bank in _VISA_NEVER):
        return Advice.NEVER
    advice = advice_for(code_of(error))
    if advice in _FIRM:
        return advice
    network = _NETWORK_ADVICE.get(str(error.get("network_advice_code") or ""))
    own = _OWN_ADVICE.get(str(error.get("advice_code") or ""))
    return network or own or advice


def is_ach(intent: Plain) -> bool:
    return ACH in intent.get("payment_method_types", ())


def draw_key_of(source: Plain | None) -> str:
    """Return the draw that an intent or its charge is of; empty for what is none of ours."""
    return str(((source or {}).get("metadata") or {}).get(DRAW_KEY, ""))


def start_of(day: date) -> int:
    """Return the second in which a day begins in UTC, as Stripe dates its payouts."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def to_moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _brand(error: Plain) -> str:
    card = (error.get("payment_method") or {}).get("card") or {}
    return str(card.get("brand", ""))


def _result(intent: Plain, answer: DrawAnswer) -> DrawResult:
    charge = intent.get("latest_charge")
    answered_at = to_moment(charge["created"]) if isinstance(charge, dict) else None
    return DrawResult(answer, intent["id"], Money(intent["amount"]), answered_at=answered_at)


def to_settlement(
    payout: Plain, lines: Iterable[Plain], get_intent: Callable[[str], Plain]
) -> Settlement:
    """
    Put a payout together of its balance transactions.

    Stripe itemizes automatic payouts only: another is one line that names no draw, as are fees of
    its own. Raises PermanentFailure where the lines do not add up to the payout.
    """
    net = Money(payout["amount"])
    items = tuple(_to_item(line, get_intent) for line in lines if line["type"] != "payout")
    if not payout.get("automatic", True):
        items = (SettledDraw(payout["id"], "", net, ZERO),)
    gross = Money.total(item.amount for item in items)
    fees = Money.total(item.fee for item in items)
    if gross - fees != net:
        raise PermanentFailure(
            f"The lines of Stripe's payout {payout['id']} make {gross - fees} and not {net}."
        )
    pays_out_on = datetime.fromtimestamp(payout["arrival_date"], UTC).date()  # midnight in UTC
    return Settlement(payout["id"], pays_out_on, gross, fees, net, items)


def is_itemized(payout: Plain) -> bool:
    """Tell whether Stripe is done with a payout's lines; until then it is read another day."""
    return payout.get("reconciliation_status") != "in_progress"


def _to_item(line: Plain, get_intent: Callable[[str], Plain]) -> SettledDraw:
    """Name the draw of a line by its charge, or by the intent of its refund or dispute."""
    source = line.get("source")
    known = source if isinstance(source, dict) else {}
    reference = known.get("payment_intent")
    key = draw_key_of(known)
    if reference and not key:
        key = draw_key_of(get_intent(reference))
    return SettledDraw(
        str(reference or known.get("id") or line["id"]),
        key,
        Money(line["amount"]),
        Money(line["fee"]),
    )
