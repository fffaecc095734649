"""Stripe's payouts as settlements, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from domain.failures import PermanentFailure
from domain.money import ZERO, Money
from payments.gateway import SettledDraw, Settlement
from payments.stripe_results import Plain, draw_key_of


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
