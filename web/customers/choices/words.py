"""Payment methods and refusals in customers' words; the codes are the clerks' too."""

from __future__ import annotations

from domain.payments import MethodKind
from web.visits import Visit


def say_method(visit: Visit, kind: MethodKind | None, last4: str, brand: str = "") -> str:
    """Write `Visa ending 4242`, in the visitor's language."""
    if kind is None:
        return visit.say("a payment method that is not in your wallet any more")
    if kind is MethodKind.ACH and brand:
        return visit.say("%(brand)s account ending %(last4)s", brand=brand, last4=last4)
    if kind is MethodKind.ACH:
        return visit.say("Bank account ending %(last4)s", last4=last4)
    if brand:
        return visit.say("%(brand)s ending %(last4)s", brand=brand, last4=last4)
    return visit.say("Card ending %(last4)s", last4=last4)
